"""http.client, and so urllib.request and whatever subclasses its connections: Sockets stand for their sockets."""
import errno
import functools
import socket

from .sockets import Socket, default_exception, origin


def connect(connection, scheme, exception_for=None):
    """A Socket for a connection of http.client's, which it does not have yet."""
    if getattr(connection, "cert_file", None):
        raise OSError(errno.ENOTSUP, "certificates of clients cannot be used in a worker: the node does TLS")
    host, port, more = connection.host, connection.port, {}
    if getattr(connection, "_tunnel_host", None):
        proxy = getattr(connection, "proxy", None)      # urllib3's
        headers = {name.lower(): value for name, value in (getattr(connection, "_tunnel_headers", None) or {}).items()}
        more = {"proxy": origin(getattr(proxy, "scheme", None) or "http", host, port),
                "proxy_authorization": headers.get("proxy-authorization", "").encode("latin-1")}
        host, port = connection._tunnel_host, connection._tunnel_port or connection.default_port
    connection.sock = Socket(scheme, host, port, connection.timeout, exception_for or default_exception, **more)


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
