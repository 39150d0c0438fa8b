"""A person at `corral d1`: what they type, and what they read."""
import os
import pty
import subprocess
import termios
import threading

from harness import BIN, PATIENCE

END = b"\0the end\0"  # of what a terminal shows


class Shell:
    def __init__(self, folder):
        self.folder = folder
        self.code = self.out = self.err = None

    def __call__(self, *words, stdin=subprocess.DEVNULL, code=0):
        done = subprocess.run([str(BIN / "corral"), "d1", *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.folder, text=True, timeout=60 * PATIENCE)
        self.out, self.err = done.stdout, done.stderr
        assert done.returncode == code, (words, done)
        return self.out if code == 0 else self.err

    def answer(self, text, *words, code=0):
        """With a terminal to ask on, where `text` is typed."""
        master, slave = pty.openpty()
        try:
            os.write(master, text.encode())
            return self(*words, stdin=slave, code=code)
        finally:
            os.close(slave)
            os.close(master)

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(text.encode())

    def read(self, name):
        return (self.folder / name).read_bytes().decode()

    def screen(self, *words, text="", code=0, env=None):
        """On a terminal, where `text` is typed: what it shows.

        The terminal stays open until its last byte has been read: a reader may find a terminal closed just before it
        is given what was written on it last.
        """
        master, slave = pty.openpty()
        mode = termios.tcgetattr(slave)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        os.write(master, text.encode())
        shown = self.shown = bytearray()
        process = subprocess.Popen([str(BIN / "corral"), "d1", *words], stdin=slave, stdout=slave, stderr=slave,
                                   cwd=self.folder, env={**os.environ, "TERM": "xterm", **(env or {})})

        def watch():
            while not shown.endswith(END):
                shown.extend(os.read(master, 65536))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            found = process.wait(60 * PATIENCE)
            os.write(slave, END)
            watcher.join(60 * PATIENCE)
            assert not watcher.is_alive(), (words, bytes(shown))
        finally:
            process.kill()
            os.close(slave)
            os.close(master)
        self.out = shown.removesuffix(END).decode().replace("\r\n", "\n")
        assert found == code, (words, found, self.out)
        return self.out
