"""pyodide.http - HTTP from Python: pyfetch() to await, open_url() and pyxhr that block their caller."""
from io import StringIO

from . import pyxhr
from ._exceptions import AbortError, BodyUsedError, HttpStatusError
from ._pyfetch import FetchResponse, pyfetch


def open_url(url: str) -> StringIO:
    """The text at a URL, whatever the status of the answer; blocks the caller, other requests go on.

    Raises OSError (XHRError) when there is no answer.  For bytes use pyfetch().
    """
    return StringIO(pyxhr.send("GET", url).responseText)


__all__ = ["AbortError", "BodyUsedError", "FetchResponse", "HttpStatusError", "open_url", "pyfetch", "pyxhr"]
