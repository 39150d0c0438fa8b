"""stdlib.py - what of the standard library speaks to a terminal, a console or a disk, and how a worker means it.

logging and warnings go to the log with their own levels, as lines of stderr would all be errors; breakpoint() is
passed over; exit() and its kin are there, which `site` defines, as programs use them.
"""
import builtins
import linecache
import logging
import os
import sys
import tempfile
import warnings

import _corral

from . import errors, hints

_INFO, _WARN, _ERROR = 1, 2, 3      # enum log_level
_OURS = (_corral.stdout, _corral.stderr)
_emit = logging.StreamHandler.emit


def _log_record(handler, record):
    """logging.StreamHandler.emit: a record is one entry of the log, with its traceback and what to do about it."""
    if handler.stream not in _OURS:
        _emit(handler, record)
        return
    try:
        level = _ERROR if record.levelno >= logging.ERROR else _WARN if record.levelno >= logging.WARNING else _INFO
        text = errors.shorten_paths(handler.format(record))
        hint = hints.for_exception(record.exc_info[1]) if record.exc_info else ""
        _corral.log(level, f"{text}\n({hint})" if hint else text)
    except RecursionError:
        raise
    except Exception:
        handler.handleError(record)


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """warnings.showwarning: with the file as the project names it."""
    if line is None:
        line = linecache.getline(filename, lineno)
    text = warnings.formatwarning(message, category, errors.shown_path(filename), lineno, line)
    if file is None and sys.stderr is _corral.stderr:
        _corral.log(_WARN, text.rstrip("\n"))
        return
    file = file or sys.stderr
    if file is not None:
        file.write(text)


def _pass_over(*args, **kwargs):
    """sys.breakpointhook: there is no terminal that a debugger could ask."""
    frame = sys._getframe(1)
    where = f"{errors.shown_path(frame.f_code.co_filename)}:{frame.f_lineno}"
    _corral.log(_WARN, f"breakpoint() at {where} is passed over: a worker has no terminal to debug in. Print what you want to see, "
                       "or set sys.breakpointhook")


class _Exit:
    """exit and quit: SystemExit, which ends the request with an error."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"Use {self._name}() to raise SystemExit"

    def __call__(self, code=None):
        raise SystemExit(code)


class _Help:
    def __repr__(self):
        return "Type help(object) for help about object."

    def __call__(self, *args, **kwargs):
        import pydoc
        return pydoc.help(*args, **kwargs)


def _hide_our_variables():
    """What the engine was started with is none of the worker's; it has read it already."""
    known = os.environ._data
    for name in [name for name in known if os.fsdecode(name).startswith(("JSC_", "GIGACAGE_"))]:
        del known[name]


def install():
    """In the zygote, before any code of a worker."""
    logging.StreamHandler.emit = _log_record
    warnings.showwarning = _show_warning
    sys.breakpointhook = _pass_over
    tempfile.tempdir = "/tmp"       # found by writing, else, which the box refuses; its error should name the file
    for name in ("exit", "quit"):
        setattr(builtins, name, _Exit(name))
    builtins.help = _Help()
    _hide_our_variables()
