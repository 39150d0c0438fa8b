"""corral dev as a person sees it: a real terminal (a pty), its keys, its colours, its mode afterwards; and the flags."""
import os
import pty
import re
import signal
import subprocess
import termios
import threading
import time

import pytest

from harness import BIN, DEADLINE, HELLO, children, processes, until, write_project


class Terminal:
    """A program in a terminal of its own; what it writes is collected."""

    def __init__(self, arguments, env=None):
        environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "BROWSER")}
        environment.update({"TERM": "xterm", **(env or {})})
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, environment)
        self.output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        closed = 0
        while closed < 2:       # a terminal that is seen to close may still have what was written last
            try:
                data = os.read(self.master, 65536)
            except OSError:
                closed += 1
                continue
            with self._changed:
                self.output += data.decode("utf-8", "replace")
                self._changed.notify_all()

    def mark(self):
        with self._changed:
            return len(self.output)

    def wait(self, pattern, since=0):
        end = time.monotonic() + DEADLINE
        with self._changed:
            while True:
                match = re.search(pattern, self.output[since:])
                if match:
                    return match
                left = end - time.monotonic()
                assert left > 0, "no %r in %r" % (pattern, self.output)
                self._changed.wait(left)

    def type(self, text):
        os.write(self.master, text.encode())

    def mode(self):
        """Are lines edited and echoed, as in a shell?"""
        return bool(termios.tcgetattr(self.master)[3] & (termios.ECHO | termios.ICANON))

    def wait_mode(self, cooked):
        until("the terminal is %s" % ("as before" if cooked else "ours"), lambda: self.mode() == cooked)

    def wait_exit(self):
        end = time.monotonic() + DEADLINE
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "it did not end"
            time.sleep(0.01)

    def close(self):
        if self.master is None:
            return
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._reader.join(DEADLINE)
        os.close(self.master)
        self.master = None


@pytest.fixture
def terminal(tmp_path):
    made = []

    def make(*flags, env=None, wait=True, before=(), after=()):
        write_project(tmp_path, HELLO)
        arguments = list(before) + [str(BIN / "corral"), "dev", "--port", "0", *flags, str(tmp_path), *after]
        made.append(Terminal(arguments, env))
        if wait:
            match = made[-1].wait(r"Ready on (http://localhost:\d+)(?=\D)")     # all of its digits
            made[-1].url = match.group(1)
        return made[-1]

    yield make
    for one in made:
        print(one.output)
        one.close()


def opener(folder, text="opened"):
    """A $BROWSER that notes what it was asked for."""
    script = folder / "browser"
    script.write_text('#!/bin/sh\necho "%s $1" >> %s/opened\nexit 0\n' % (text, folder))
    script.chmod(0o755)
    return script


def test_keys(terminal, tmp_path):
    one = terminal(env={"BROWSER": str(opener(tmp_path))})
    one.wait(r"\[b\] open a browser, \[c\] clear console, \[x\] to exit")
    one.wait_mode(False)
    one.type("b")
    until("the browser was told", lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text() == "opened %s\n" % one.url)
    mark = one.mark()
    one.type("c")
    one.wait(r"\x1b\[H\x1b\[2J\x1b\[3J(.|\n)*\[x\] to exit", since=mark)
    one.type("yz\x1b[A")    # means nothing
    one.type("x")
    assert one.wait_exit() == 0
    one.wait_mode(True)


@pytest.mark.parametrize("key, code", [("q", 0), ("\x03", 0)], ids=["q", "ctrl_c"])
def test_keys_that_end_it(terminal, key, code):
    one = terminal()
    one.wait_mode(False)
    one.type(key)
    assert one.wait_exit() == code
    assert one.mode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT])
def test_the_terminal_is_as_before_after_a_signal(terminal, number):
    one = terminal()
    one.wait_mode(False)
    os.kill(one.pid, number)
    code = one.wait_exit()
    assert code == (0 if number == signal.SIGTERM else -number) or BIN.name in ("asan", "tsan")
    assert one.mode(), "the shell would show nothing"


def test_the_terminal_is_as_before_when_it_does_not_start(terminal, tmp_path):
    (tmp_path / "wrangler.toml").write_text("[vars\n")
    one = Terminal([str(BIN / "corral"), "dev", str(tmp_path)])
    try:
        assert one.wait_exit() == 1 and one.mode()
    finally:
        one.close()


def test_stopped_and_continued_by_a_shell(terminal):
    one = terminal(before=["bash", "--norc", "--noprofile", "--noediting", "-c", 'set -m; "$@"; echo "back with $?"; fg; echo "over with $?"', "sh"])
    shell = one.pid
    one.wait_mode(False)
    node = children(shell)[0].pid
    mark = one.mark()
    one.type("\x1a")
    one.wait(r"back with 1\d\d", since=mark)  # bash continues it by `fg` at once
    one.wait_mode(False)
    until("it runs again", lambda: processes()[node].state in "SR")
    one.type("x")
    one.wait("over with 0", since=mark)
    assert one.wait_exit() == 0 and one.mode()


def test_the_terminal_is_the_shells_while_it_is_stopped(terminal):
    one = terminal(before=["bash", "--norc", "--noprofile", "--noediting", "-c",
                           'set -m; "$@"; echo stopped; read line; echo "read $line"; bg; read line; echo "read $line"; fg; echo "over with $?"', "sh"])
    one.wait_mode(False)
    mark = one.mark()
    one.type("\x1a")
    one.wait("stopped", since=mark)
    assert one.mode()
    one.type("xyz\n")
    one.wait("read xyz", since=mark)
    # In the background it leaves the terminal alone, and what is typed.
    node = children(one.pid)[0].pid
    until("it runs", lambda: processes()[node].state in "SR")
    one.type("xxx\n")
    one.wait("read xxx", since=mark)
    one.wait_mode(False)
    one.type("q")
    one.wait("over with 0", since=mark)
    assert one.wait_exit() == 0 and one.mode()


def test_no_keys_when_asked_or_without_a_terminal(terminal, corral):
    one = terminal("--show-interactive-dev-session=false")
    assert one.mode() and "[x]" not in one.output
    one.close()
    two = corral(HELLO)
    assert two.get().status == 200 and "[x]" not in two.log_text()


def test_a_browser_that_cannot_be_opened_is_told(terminal):
    one = terminal(env={"BROWSER": "/nowhere/at/all"})
    one.wait_mode(False)
    one.type("b")
    one.wait(r"no browser was opened: go to %s yourself" % one.url)
    two = terminal(env={"BROWSER": "", "PATH": "/nowhere"})
    two.wait_mode(False)
    two.type("b")
    two.wait(r"no browser can be opened(.|\n)*Open %s yourself" % two.url)


@pytest.mark.parametrize("env, is_coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False),
                                              ({"FORCE_COLOR": "0"}, False), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True)],
                         ids=["terminal", "no_color", "empty_no_color", "dumb", "force_off", "force_wins"])
def test_colour_of_a_terminal(terminal, env, is_coloured):
    one = terminal(env=env)
    assert ("\x1b[36m[corral:inf]\x1b[0m Ready" in one.output) == is_coloured
    assert is_coloured or "\x1b" not in one.output


def test_colour_without_a_terminal(corral):
    assert "\x1b" not in corral(HELLO).log_text()
    assert "\x1b[36m[corral:inf]\x1b[0m Ready" in corral(HELLO, env={"FORCE_COLOR": "1"}).log_text()


# ---- the flags of wrangler dev ----


def flags_said(corral, *flags, files=HELLO, **more):
    one = corral(files, *flags, **more)
    assert one.get().status == 200
    return one


def test_flags_without_a_meaning_are_accepted_with_a_sentence(corral):
    one = flags_said(corral, "--local-protocol", "http", "--local", "--latest=true", "--live-reload",
                     "--inspector-port", "9229", "--host=example.com", "--routes", "example.com/*", "--no-bundle", "--no-live-reload",
                     "--assets", "public", "--minify", "--define", "A:1", "--remote=false")
    for said in ("--live-reload has no effect: reload the page yourself",
                 "--inspector-port has no effect: there is no inspector", "--host has no effect: workers see the address",
                 "--routes has no effect: ", "--assets has no effect: static assets", "warning: --minify has no effect: it is for JavaScript"):
        one.wait_log(re.escape("[corral:wrn] " + said))
    assert "--local" not in one.log_text().replace("--local-", "") and "--remote" not in one.log_text()
    assert one.log_text().count("--live-reload") == 1


@pytest.mark.parametrize("flags, said", [
    (["--local-protocol", "https"], r"--local-protocol https: TLS is not supported yet\n.*http://localhost"),
    (["--local-protocol", "ftp"], r"--local-protocol is http or https, not 'ftp'"),
    (["--https-key-path", "k.pem"], r"--https-key-path: TLS is not supported yet"),
    (["--remote"], r"--remote: workers run on this machine"),
    (["--tets-scheduled"], r"unknown option '--tets-scheduled'\n.*--test-scheduled"),
    (["--no-port"], r"unknown option '--no-port'"),
    (["--live-reload=yes"], r"--live-reload is true or false, not 'yes'"),
    (["--log-level", "loud"], r"--log-level is debug, info, warn, error or none, not 'loud'"),
    (["--cwd", "/nowhere"], r"--cwd '/nowhere': No such file"),
    (["--port"], r"--port needs a value"),
], ids=lambda v: "_".join(v) if isinstance(v, list) else "")
def test_flags_that_are_refused(tmp_path, flags, said):
    done = subprocess.run([str(BIN / "corral"), "dev", *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=tmp_path, text=True, timeout=DEADLINE)
    assert done.returncode == 2 and re.search(said, done.stdout), done.stdout


VALUES = """\
from js import Response

async def on_fetch(request, env):
    return Response.new(" ".join("%s=%s" % (k, getattr(env, k, "-")) for k in "ABCD"))
"""


def test_lists_and_cwd(corral, tmp_path):
    (tmp_path / "other").mkdir()
    write_project(tmp_path / "other", {"src/entry.py": VALUES, ".dev.vars": "D=secret\n", "my.env": "C=from ${A:-nowhere}\nD=env\n"})
    one = corral(None, command=[str(BIN / "corral"), "dev", "--port", "0", "--cwd", str(tmp_path / "other"), "--var", "A:1", "B:2", "."])
    assert one.get().text == "A=1 B=2 C=- D=secret"
    # --env-file in place of .dev.vars; its changes count too.
    two = corral(None, command=[str(BIN / "corral"), "dev", "--port=0", "--env-file", "./my.env", "--env-file", "none.env", str(tmp_path / "other")])
    assert two.get().text == "A=- B=- C=from nowhere D=env"
    two.wait_log(r"there is no file 'none\.env' \(--env-file\)")
    (tmp_path / "other" / "my.env").write_text("A=new\n")
    until("the change counts", lambda: two.get().text == "A=new B=- C=- D=-")


def test_name_date_and_flags_win_over_the_config(corral):
    one = corral(HELLO, "--name", "other", "--compatibility-date", "2026-03-01", "--compatibility-flags", "python_workers", "rtti_api",
                 "disable_python_no_global_handlers")
    one.get("/")
    one.wait_log("200 OK")
    two = corral("def on_fetch(request):\n    print('seen')\n    raise ValueError\n", "--name=other")
    two.get()
    two.wait_log(r"^\[other:inf\] seen$")
    three = corral(HELLO, "--name", "No Good", "--compatibility-date", "someday", "--compatibility-flags", "a b", ready=False)
    assert three.wait_exit() == 1
    for said in (r"--name may hold lower-case", r"--compatibility-date must be a date such as 2026-03-01, not 'someday'", r"--compatibility-flags 'a b' is not a flag"):
        assert re.search(said, three.log_text()), said
