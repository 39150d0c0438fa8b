"""urllib3, and so requests: its connections are those of http.client, with errors of their own.

1.26 and 2.x: what is used is `urllib3.connection`, the names of the exceptions and `urllib3.util.wait`, in which both
look whether a connection of the pool is still there.
"""
import functools

from . import http_client
from .sockets import Socket, default_exception


def tell_connection(module):
    """Of `urllib3.connection`."""
    for name, scheme in (("HTTPConnection", "http"), ("HTTPSConnection", "https")):
        cls = getattr(module, name)
        if "connect" in vars(cls):
            cls.connect = _connect(cls.connect, scheme)


def _connect(plain, scheme):
    @functools.wraps(plain)
    def connect(self):
        from urllib3 import exceptions

        def exception_for(failure):
            if failure.kind == "connect-timeout":
                return exceptions.ConnectTimeoutError(self, f"Connection to {self.host} timed out. (connect timeout={self.timeout})")
            if failure.kind == "resolve" and hasattr(exceptions, "NameResolutionError"):
                return exceptions.NameResolutionError(self.host, self, default_exception(failure))
            if failure.kind in ("connect", "resolve"):
                return exceptions.NewConnectionError(self, f"Failed to establish a new connection: {default_exception(failure)}")
            return default_exception(failure)

        http_client.connect(self, scheme, exception_for)
        if scheme == "https":
            self.is_verified = True
        if getattr(self, "_tunnel_host", None) is None and hasattr(self, "auto_open"):
            self.auto_open = 1

    return connect


def tell_wait(module):
    """Of `urllib3.util.wait`: whether a socket can be read, or written, now."""
    for name in ("wait_for_read", "wait_for_write"):
        setattr(module, name, _wait(getattr(module, name), name))


def _wait(plain, name):
    @functools.wraps(plain)
    def wait(sock, timeout=None):
        if isinstance(sock, Socket):
            return name == "wait_for_write" or sock.is_readable()
        return plain(sock, timeout)

    return wait
