"""report.py - what the packager says: lines of JSON on its standard output, as src/packages/packages.h describes them.

serve() of packager/__init__.py moves the real output to a descriptor of its own, so that nothing else that prints comes between.
"""
import json
import os
import re
import threading

_fd = 1
_lock = threading.Lock()        # downloads tell of themselves from threads


class Failure(Exception):
    """What a job cannot do, and what the user does next.

    text: one line, with the user's own names. hint: what to do. file, line: where that was asked for, when it was in a file.
    detail: many lines, such as what pip said. inputs: files that were read, for whoever tries again when they change."""

    inputs = ()

    def __init__(self, text, hint="", file="", line=0, detail=""):
        super().__init__(text)
        self.text, self.hint, self.file, self.line, self.detail = text, hint, file, line, detail

    def fields(self):
        hint = "\n    ".join(line.strip() for line in redacted(self.hint).splitlines())
        return {"text": shown(redacted(self.text)), "hint": shown(hint, True), "file": shown(self.file), "line": self.line,
                "detail": shown(redacted(self.detail), True), "inputs": list(self.inputs)}


def redacted(text):
    """Without the names and passwords of addresses."""
    return re.sub(r"(\b\w+://)[^/\s]+@", r"\1****@", text)


def shown(text, has_lines=False):
    """A text for a terminal: much of what is said here was said by an index, which is nobody's friend."""
    kept = "\t\n" if has_lines else ""
    return "".join(c if c.isprintable() or c in kept else " " if c in "\t\r\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def use(fd):
    """From now on lines go to this descriptor."""
    global _fd
    _fd = fd


def _send(line):
    data = json.dumps(line).encode() + b"\n"
    with _lock:
        while data:
            data = data[os.write(_fd, data):]


def progress(text):
    """Tell people what is being done: one line, such as "Installing 12 packages ..."."""
    _send({"progress": shown(text)})


def warning(text, hint="", file="", line=0, detail=""):
    """What is done all the same; fields as Failure's."""
    _send({"warning": Failure(text, hint, file, line, detail).fields()})


def done(answer):
    _send({"done": answer})


def error(failure):
    _send({"error": failure.fields()})
