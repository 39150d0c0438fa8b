"""_log.py - what micropip says while it works: lines on stdout, as pip's, when they are asked for."""
import contextlib
import logging
import sys

logger = logging.getLogger("micropip")


class _Stdout(logging.StreamHandler):
    """To whatever sys.stdout is when something is said."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stdout


if not logger.handlers:
    logger.addHandler(_Stdout())
    logger.setLevel(logging.WARNING)
    logger.propagate = False


@contextlib.contextmanager
def speaking(verbose):
    """verbose: None leaves it as it is; False: warnings alone; True or 1: what is done; more: details."""
    before = logger.level
    if verbose is not None:
        logger.setLevel(logging.DEBUG if verbose is not True and verbose > 1 else logging.INFO if verbose else logging.WARNING)
    try:
        yield logger
    finally:
        logger.setLevel(before)
