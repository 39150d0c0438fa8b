"""pyodide.console - an interactive Python console as an object: lines go in, futures of their values come out."""
import ast
import asyncio
import codeop
import contextlib
import io
import platform
import sys
import traceback
from collections import abc
from types import TracebackType
from typing import Any, Literal

from .code import CodeRunner

ConsoleFutureStatus = Literal["incomplete", "syntax-error", "complete"]
INCOMPLETE: ConsoleFutureStatus = "incomplete"
SYNTAX_ERROR: ConsoleFutureStatus = "syntax-error"
COMPLETE: ConsoleFutureStatus = "complete"
BANNER = (f"Python {platform.python_version()} ({', '.join(platform.python_build())}) on Corral\n"
          'Type "help", "copyright", "credits" or "license" for more information.')
_AWAITS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_CHECKS_ONLY = codeop.PyCF_DONT_IMPLY_DEDENT | getattr(codeop, "PyCF_ALLOW_INCOMPLETE_INPUT", 0)


class _Stream(io.TextIOBase):
    """What sys.stdin and its kin are while a console has callbacks for them."""

    def __init__(self, handler, name, encoding="utf-8", errors="strict"):
        super().__init__()
        self._handler, self._name, self._encoding, self._errors = handler, name, encoding, errors

    name = property(lambda self: self._name)
    encoding = property(lambda self: self._encoding)
    errors = property(lambda self: self._errors)

    def isatty(self):
        return True


class _WriteStream(_Stream):
    """Gives each text that is written to the handler."""

    def writable(self):
        return True

    def write(self, text):
        if self.closed:
            raise ValueError("write to closed file")
        written = self._handler(str.encode(text, self.encoding, self.errors).decode(self.encoding, self.errors))
        return len(text) if written is None else written


class _ReadStream(_Stream):
    """Asks the handler for text: for so many characters, or -1; an empty one is the end."""

    def __init__(self, handler, name, encoding="utf-8", errors="strict"):
        super().__init__(handler, name, encoding, errors)
        self._left = ""

    def readable(self):
        return True

    def read(self, size=-1):
        if self.closed:
            raise ValueError("read from closed file")
        if size is None:
            size = -1
        if not isinstance(size, int):
            raise TypeError(f"argument should be integer or None, not '{type(size).__name__}'")
        text = self._left
        if size < 0:
            self._left = ""
            return text + self._handler(-1)
        if size >= len(text):
            text += self._handler(size - len(text))
        self._left = text[size:]
        return text[:size]

    def readline(self, size=-1):
        if not isinstance(size, int):
            raise TypeError(f"'{type(size).__name__}' object cannot be interpreted as an integer")
        line, newline, rest = self.read(size).partition("\n")
        self._left = rest + self._left
        return line + newline


class ConsoleFuture(asyncio.Future):
    """What becomes of an input.

    syntax_check: "complete", the code runs and the future gets its value or exception; "incomplete", more lines
    are wanted, the result is None; "syntax-error", the exception is the SyntaxError.
    formatted_error: the traceback as text, once there is an exception.
    """

    syntax_check: ConsoleFutureStatus
    formatted_error: str | None

    def __init__(self, syntax_check: ConsoleFutureStatus):
        super().__init__()
        self.syntax_check = syntax_check
        self.formatted_error = None


class Console:
    """An interactive console: push() takes a line, and runs what is complete in `globals`; `await` may be used.

    stdin_callback(count) gives text, stdout_callback(text) and stderr_callback(text) take it, while code of the
    console runs, or always with persistent_stream_redirection=True.  The streams are those of the whole worker:
    what other requests print meanwhile goes to the callbacks too.  filename, dont_inherit and optimize are those
    of compile().
    """

    completer_word_break_characters = " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?"

    def __init__(self, globals: dict[str, Any] | None = None, *, stdin_callback: abc.Callable[[int], str] | None = None,
                 stdout_callback: abc.Callable[[str], int | None] | None = None,
                 stderr_callback: abc.Callable[[str], int | None] | None = None,
                 persistent_stream_redirection: bool = False, filename: str = "<console>",
                 dont_inherit: bool = False, optimize: int = -1):
        self.globals = {"__name__": "__console__", "__doc__": None} if globals is None else globals
        self.stdin_callback, self.stdout_callback, self.stderr_callback = stdin_callback, stdout_callback, stderr_callback
        self.filename = filename
        self.buffer: list[str] = []
        self._options = {"dont_inherit": dont_inherit, "optimize": optimize}
        self._check = codeop.CommandCompiler()      # remembers what is imported from __future__
        self._check.compiler.flags |= _AWAITS
        self._lock = asyncio.Lock()
        self._is_redirected = False
        self._redirection = None
        if persistent_stream_redirection:
            self.persistent_redirect_streams()

    # ---- streams ----

    def _redirect(self):
        if self._is_redirected:
            yield
            return
        kinds = (("stdin", self.stdin_callback, _ReadStream), ("stdout", self.stdout_callback, _WriteStream),
                 ("stderr", self.stderr_callback, _WriteStream))
        before = {name: getattr(sys, name) for name, callback, _ in kinds if callback}
        for name, callback, kind in kinds:
            if callback:
                setattr(sys, name, kind(callback, getattr(before[name], "name", f"<{name}>")))
        self._is_redirected = True
        try:
            yield
        finally:
            self._is_redirected = False
            for name, stream in before.items():
                setattr(sys, name, stream)

    @contextlib.contextmanager
    def redirect_streams(self):
        """Inside of this the standard streams are those of the callbacks; may be nested."""
        yield from self._redirect()

    def persistent_redirect_streams(self) -> None:
        """The standard streams are those of the callbacks from now on."""
        if self._redirection is None:
            self._redirection = self._redirect()
            next(self._redirection)

    def persistent_restore_streams(self) -> None:
        """Undo persistent_redirect_streams()."""
        if self._redirection is not None:
            self._redirection.close()
            self._redirection = None

    # ---- running ----

    def _compile(self, source, filename):
        """A CodeRunner, or None for source that wants more lines; raises SyntaxError, OverflowError or ValueError."""
        if self._check(source, filename, "single") is None:
            return None
        if not any(line.strip() and not line.strip().startswith("#") for line in source.split("\n")):
            source = "pass"
        flags = self._check.compiler.flags & ~_CHECKS_ONLY
        return CodeRunner(source, mode="single", filename=filename, flags=flags, **self._options).compile()

    def runsource(self, source: str, filename: str = "<console>") -> ConsoleFuture:
        """Run source that may be incomplete; see push()."""
        try:
            code = self._compile(source, filename)
        except (OverflowError, SyntaxError, ValueError) as e:
            future = ConsoleFuture(SYNTAX_ERROR)
            future.formatted_error = self.formatsyntaxerror(e)
            future.set_exception(e)
            return future
        if code is None:
            future = ConsoleFuture(INCOMPLETE)
            future.set_result(None)
            return future
        future = ConsoleFuture(COMPLETE)
        task = asyncio.ensure_future(self._run(source, code, future))
        future.add_done_callback(lambda future: future.cancelled() and task.cancel())
        return future

    async def _run(self, source, code, future):
        # Nothing leaves this task: asyncio lets SystemExit out of the loop.
        try:
            async with self._lock:
                value = await self.runcode(source, code)
        except asyncio.CancelledError:
            future.cancel()
        except BaseException as e:
            if not future.done():
                future.formatted_error = self.formattraceback(e)
                future.set_exception(e)
        else:
            if not future.done():
                future.set_result(value)

    async def runcode(self, source: str, code: CodeRunner) -> Any:
        """Run what was compiled, with the streams redirected; its value.  Made to be overridden."""
        with self.redirect_streams():
            try:
                return await code.run_async(self.globals)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()

    def push(self, line: str) -> ConsoleFuture:
        """One more line of input, without its newline; runs what has come so far if that is complete."""
        self.buffer.append(line)
        future = self.runsource("\n".join(self.buffer), self.filename)
        if future.syntax_check != INCOMPLETE:
            self.buffer = []
        return future

    # ---- errors ----

    def formatsyntaxerror(self, e: Exception) -> str:
        """A SyntaxError as text; it becomes sys.last_value."""
        sys.last_exc = sys.last_value = e
        sys.last_type, sys.last_traceback = type(e), None
        return "".join(traceback.format_exception_only(type(e), e))

    def num_frames_to_keep(self, tb: TracebackType | None) -> int:
        """How many of the last frames are code of the console and what that called."""
        names = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(tb)]
        first = next((n for n, name in enumerate(names) if name in (self.filename, "<exec>")), len(names))
        return len(names) - first

    def formattraceback(self, e: BaseException) -> str:
        """An exception with the frames of the console as text; it becomes sys.last_value."""
        sys.last_exc = sys.last_value = e
        sys.last_type, sys.last_traceback = type(e), e.__traceback__
        return "".join(traceback.format_exception(type(e), e, e.__traceback__, -self.num_frames_to_keep(e.__traceback__)))

    # ---- completion ----

    def complete(self, source: str) -> tuple[list[str], int]:
        """What the last word of the source may become, and where that word starts.

        Console().complete("a = 5 ; str.isa") == (['str.isalnum(', 'str.isalpha(', 'str.isascii('], 8)
        """
        start = max(map(source.rfind, self.completer_word_break_characters)) + 1
        word = source[start:]
        completer = _completer(self.globals)
        return completer.attr_matches(word) if "." in word else completer.global_matches(word), start


def _completer(names):
    """rlcompleter's, without the library that reads a terminal, which it would set up."""
    was_there, readline = "readline" in sys.modules, sys.modules.get("readline")
    sys.modules["readline"] = None
    try:
        import rlcompleter
    finally:
        if was_there:
            sys.modules["readline"] = readline
        else:
            del sys.modules["readline"]
    return rlcompleter.Completer(names)


class PyodideConsole(Console):
    """A Console; in Pyodide it loads the packages that are imported, which here come with the worker."""


def shorten(text: str, limit: int = 1000, split: int | None = None, separator: str = "...") -> str:
    """Text that is longer than `limit` as its first and last `split` characters (half of the limit if not said).

    Raises ValueError for limits below 2.
    """
    if limit < 2:
        raise ValueError("limit must be greater than or equal to 2.")
    if len(text) <= limit:
        return text
    split = min(limit // 2 if split is None else split, len(text) // 2)
    return text[:split] + separator + text[-split:]


def repr_shorten(value: Any, limit: int = 1000, split: int | None = None, separator: str = "...") -> str:
    """repr(value), shortened; see shorten().  Raises ValueError for limits below 4."""
    if limit < 4:
        raise ValueError("limit must be greater than or equal to 4.")
    return shorten(repr(value), limit, split, separator)


__all__ = ["BANNER", "Console", "ConsoleFuture", "PyodideConsole", "repr_shorten"]
