"""tls.py - contexts of `ssl` read their authorities when they are needed, which in a worker is hardly ever: the node does TLS.

Clients make one each, httpx.AsyncClient() say, and that reads and parses all authorities of the system: 20 ms, in which
nothing else runs.  A file that is not there is still missed at once.
"""
import functools
import os
import weakref

_owed = weakref.WeakKeyDictionary()     # what contexts would have read: [(method, args)]


def _pay(context):
    for method, args in _owed.pop(context, ()):
        method(context, *args)


def _later(method):
    @functools.wraps(method)
    def load(self, *args, **kwargs):
        _owed.setdefault(self, []).append((functools.partial(_call, method, kwargs), args))

    return load


def _call(method, kwargs, context, *args):
    method(context, *args, **kwargs)


def _locations(method):
    @functools.wraps(method)
    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cadata is not None or (cafile is None and capath is None):
            return method(self, cafile, capath, cadata)
        for path in (cafile, capath):
            if path is not None:
                os.stat(path)
        _owed.setdefault(self, []).append((method, (cafile, capath)))

    return load_verify_locations


def _paid(method):
    @functools.wraps(method)
    def needs(self, *args, **kwargs):
        _pay(self)
        return method(self, *args, **kwargs)

    return needs


def tell(module):
    """Of `ssl`."""
    cls = module.SSLContext
    for name in ("load_default_certs", "set_default_verify_paths"):
        setattr(cls, name, _later(getattr(cls, name)))
    cls.load_verify_locations = _locations(cls.load_verify_locations)
    for name in ("wrap_socket", "wrap_bio", "get_ca_certs", "cert_store_stats"):
        setattr(cls, name, _paid(getattr(cls, name)))
