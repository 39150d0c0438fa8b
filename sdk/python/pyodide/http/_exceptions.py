"""What pyodide.http raises: all of it are OSErrors."""


class HttpStatusError(OSError):
    """The answer has a status of 400 to 599; raised by raise_for_status()."""

    def __init__(self, status: int, status_text: str, url: str):
        self.status, self.status_text, self.url = status, status_text, url
        kind = {4: "Client Error", 5: "Server Error"}.get(status // 100, "Invalid error code not between 400 and 599")
        super().__init__(f"{status} {kind}: {status_text} for url: {url}")

    def __reduce__(self):
        return type(self), (self.status, self.status_text, self.url), self.__dict__


class BodyUsedError(OSError):
    """The body was read before."""

    def __init__(self, *args):
        super().__init__("Response body is already used")


class AbortError(OSError):
    """The request was aborted, or failed; the argument is what JavaScript gives as the reason."""

    def __init__(self, reason):
        super().__init__(str(getattr(reason, "message", reason)))


class XHRError(OSError):
    """A request of pyxhr failed."""


class XHRNetworkError(XHRError):
    """There came no answer."""

    def __init__(self, message: str = "Network error occurred"):
        super().__init__(message)


class XHRTimeoutError(XHRError):
    """There came no answer in time."""

    def __init__(self, timeout: int):
        super().__init__(f"Request timed out after {timeout}ms")
