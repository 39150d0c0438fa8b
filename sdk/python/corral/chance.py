"""chance.py - what is random must differ between instances, although fork copies it.

Generators that were seeded by chance before the fork (random.random's own, and every
random.Random() without a seed) are seeded anew in each instance.  A generator with a seed of
its own, random.Random(7), keeps its sequence: that is what the seed was given for.

Called by load.py: watch() in the zygote, seed() in a new instance.
"""
import random
import sys
import weakref

_by_chance = weakref.WeakSet()


def watch():
    """Remember from now on which generators were seeded by chance."""
    original = random.Random.seed

    def seed(self, a=None, version=2):
        original(self, a, version)
        if a is None:
            _by_chance.add(self)
        else:
            _by_chance.discard(self)

    seed.__doc__ = original.__doc__
    random.Random.seed = seed


def seed():
    """In a new process: what fork copied must not be drawn twice."""
    random.seed()
    for generator in list(_by_chance):
        generator.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
