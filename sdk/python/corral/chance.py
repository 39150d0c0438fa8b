"""chance.py - what is random must differ between instances, although fork copies it.

Top-level code runs once for all instances, so randomness that it draws would be the same in all
of them.  As on Cloudflare it may not: os.urandom, secrets, uuid4 and unseeded generators raise
OSError(EIO), the functions of random and numpy.random RuntimeError, until the instance starts.

Packages may, while they are imported: many seed something they never use before a request.  So
what counts is who asks: from the call outwards, the code of a worker's own module comes before
the import machinery (refused), or after it (a package is being imported).  tempfile may too.

Generators that were seeded by chance before the fork (random's own, numpy's, and every
random.Random() without a seed) are seeded anew in each instance.  A generator with a seed of
its own, random.Random(7), keeps its sequence: that is what the seed was given for.

Called by load.py: watch() in the zygote, close() before the worker's code, open() in a new instance.
"""
import errno
import functools
import importlib.machinery
import os
import random
import sys
import weakref

REFUSED = "Cannot get entropy outside of request context"
_ALLOWED_FILES = (os.path.join(os.path.dirname(os.__file__), "tempfile.py"),)
_ASK_FOR_ENTROPY = ("default_rng", "RandomState")   # of numpy.random: refused by that, unless they get a seed

_by_chance = weakref.WeakSet()
_numpy_by_chance = []   # bit generators, which know no weak references; only what packages made while imported
_folder = None          # of the worker's code, while it is loaded
_packages = None        # below that, yet not the worker's own code
_originals = []         # (module, name, value): to be put back


def _is_refused():
    if _folder is None:
        return False
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib") or file in _ALLOWED_FILES:
            return False
        if file.startswith(_folder) and not file.startswith(_packages):
            return True
        frame = frame.f_back
    return True


def _guard(module, name, error):
    """Refuse module.name() while the worker is loaded.  Who holds the guard later calls through it."""
    original = getattr(module, name)

    @functools.wraps(original)
    def guarded(*args, **kwargs):
        if _is_refused():
            raise error()
        return original(*args, **kwargs)

    _originals.append((module, name, original))
    setattr(module, name, guarded)


def _no_entropy():
    return OSError(errno.EIO, REFUSED + ": code at top level runs once for all instances of a worker, which would share "
                              "what is random. Move it into a handler")


def _guard_functions(module, names):
    for name in names:
        _guard(module, name, lambda name=name: RuntimeError(
            f"Cannot use {module.__name__}.{name}() outside of request context: move it into a handler"))


def _remember_numpy(module):
    original = module.default_rng

    @functools.wraps(original)
    def default_rng(seed=None):
        generator = original(seed)
        if seed is None and _folder is not None:
            _numpy_by_chance.append(generator.bit_generator)
        return generator

    _originals.append((module, "default_rng", original))
    module.default_rng = default_rng


class _NumpyLoader:
    """Loads numpy.random as usual, then guards its functions."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        if _folder is not None:
            _guard_functions(module, [n for n in module.__all__ if n not in _ASK_FOR_ENTROPY and
                                      callable(getattr(module, n)) and not isinstance(getattr(module, n), type)])
            _remember_numpy(module)


class _NumpyFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "numpy.random":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _NumpyLoader(spec.loader)
        return spec


def watch():
    """Remember from now on which generators were seeded by chance."""
    original = random.Random.seed

    def seed(self, a=None, version=2):
        if a is None and _is_refused():
            raise _no_entropy()
        original(self, a, version)
        if a is None:
            _by_chance.add(self)
        else:
            _by_chance.discard(self)

    seed.__doc__ = original.__doc__
    random.Random.seed = seed


def close(folder):
    """From now on the code in this folder, python_modules aside, gets no randomness."""
    global _folder, _packages
    _folder = folder.rstrip("/") + "/"
    _packages = _folder + "python_modules/"
    _guard(os, "urandom", _no_entropy)
    _guard(os, "getrandom", _no_entropy)
    _originals.append((random, "_urandom", random._urandom))
    random._urandom = os.urandom
    # The rest of random are methods of one hidden generator.
    _guard_functions(random, [n for n in random.__all__ if not isinstance(getattr(random, n), type)])
    sys.meta_path.insert(0, _NumpyFinder)


def open():
    """In a new instance: randomness is there, and nothing that fork copied is drawn twice."""
    global _folder
    _folder = None
    while _originals:
        module, name, original = _originals.pop()
        setattr(module, name, original)
    if _NumpyFinder in sys.meta_path:
        sys.meta_path.remove(_NumpyFinder)
    random.seed()
    for generator in list(_by_chance):
        generator.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
        for bits in _numpy_by_chance:
            bits.state = type(bits)().state
