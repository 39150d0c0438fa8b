"""package.py - what micropip.list() answers: packages by name, shown as a table."""
import dataclasses
from collections import UserDict

from corral.packaging.utils import canonicalize_name


@dataclasses.dataclass
class PackageMetadata:
    """A package: its name, its version, and where it came from: "pypi" (an index), "pyodide" (the package set), or its URL."""
    name: str
    version: str = ""
    source: str = ""

    def __iter__(self):
        return iter(dataclasses.astuple(self))

    @staticmethod
    def keys():
        """Names of the three."""
        return [one.name for one in dataclasses.fields(PackageMetadata)]


class PackageDict(UserDict):
    """PackageMetadata by name; any spelling of a name finds it.  Its repr is a table for people."""

    def __getitem__(self, key):
        return super().__getitem__(canonicalize_name(key))

    def __setitem__(self, key, value):
        super().__setitem__(canonicalize_name(key), value)

    def __delitem__(self, key):
        super().__delitem__(canonicalize_name(key))

    def __contains__(self, key):
        return isinstance(key, str) and super().__contains__(canonicalize_name(key))

    def __repr__(self):
        rows = [[name.capitalize() for name in PackageMetadata.keys()], *map(list, self.values())]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        rows.insert(1, ["-" * width for width in widths])
        return "\n".join(" | ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows)
