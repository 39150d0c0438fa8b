"""http.client, and so urllib.request and whatever subclasses its connections: Sockets stand for their sockets."""
import errno
import functools
import socket

from .. import egress
from .sockets import Socket


def connect(connection, scheme, exception_for=None):
    """A Socket for a connection of http.client's, which it does not have yet."""
    if getattr(connection, "_tunnel_host", None):
        raise OSError(errno.EHOSTUNREACH, egress.NO_PROXY)
    if getattr(connection, "cert_file", None):
        raise OSError(errno.ENOTSUP, "certificates of clients cannot be used in a worker: the node does TLS")
    more = (exception_for,) if exception_for else ()
    connection.sock = Socket(scheme, connection.host, connection.port, connection.timeout, *more)


def tell(module):
    """Of `http.client`."""
    for cls, scheme in ((module.HTTPConnection, "http"), (module.HTTPSConnection, "https")):
        cls.connect = _connect(cls.connect, scheme)


def _connect(plain, scheme):
    @functools.wraps(plain)
    def connect_(self):
        if getattr(self, "_create_connection", socket.create_connection) is not socket.create_connection:
            return plain(self)      # of somebody who has connections of his own, as tests have
        connect(self, scheme)

    return connect_
