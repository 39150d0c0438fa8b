# boot.py - a realm's Python begins: its streams.  finder.py has run before.
import io
import sys

import _corral

sys.stdout = sys.__stdout__ = _corral.stdout
sys.stderr = sys.__stderr__ = _corral.stderr
sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")       # there is nothing to read
io.TextIOBase.register(type(_corral.stdout))

sys.meta_path[0].private = frozenset({"boot", "finder", "packager"})
