"""uv_settings.py - what [tool.uv] of pyproject.toml says of where packages come from: sources and indexes.

Whoever writes `mine = { path = "../mine" }` does not want what a stranger has put on an index under that name: a source that cannot
be followed is refused, never passed over.
"""
import os
import re
from urllib.parse import quote

from corral.packaging.markers import Marker
from corral.sets import normalize

from . import needs
from .asked import _BUILD_IT, ADDRESS, REQUIREMENT_MAX, as_word


def _table(value, key):
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _texts(value):
    value = [value] if isinstance(value, str) else value
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


class UvSettings:
    """said: pyproject.toml as tomllib has read it. text: the same. line_of(value): where a text stands in it."""

    def __init__(self, asked, said, path, text, line_of):
        self.asked, self.path, self.text, self.line_of = asked, path, text, line_of
        self.uv = _table(_table(said, "tool"), "uv")
        self.sources = {normalize(name): (name, source) for name, source in _table(self.uv, "sources").items()}
        self.indexes = [one for one in self.uv.get("index") or () if isinstance(one, dict) and isinstance(one.get("url"), str)] \
            if isinstance(self.uv.get("index"), list) else []
        self.pinned = set()

    def requirement(self, text):
        """The text of a dependency, with the address that its source names."""
        wanted = needs.parse(text[:REQUIREMENT_MAX])
        if wanted is None:
            return text         # is said where it is added
        name, source = self.sources.get(normalize(wanted.name), ("", None))
        source = self._applying(name, source)
        if source is None:
            return text
        if isinstance(source.get("index"), str):
            self._pin(name, source["index"])
            return text
        extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
        return f"{wanted.name}{extras} @ {self._address(name, source)}" + (f" ; {wanted.marker}" if wanted.marker else "")

    def take_indexes(self):
        """Tell `asked` the indexes; what requirements.txt says goes first. After the dependencies."""
        a, tables = self.asked, (self.uv, _table(self.uv, "pip"))
        urls = [one["url"] for one in self.indexes if not one.get("default") and (not one.get("explicit") or one.get("name") in self.pinned)]
        default = [one["url"] for one in self.indexes if one.get("default")]
        default += [url for table in tables for url in _texts(table.get("index-url"))]
        urls += [url for table in tables for url in _texts(table.get("extra-index-url"))]
        places = [place for table in tables for place in _texts(table.get("find-links"))]
        for url in default[:1] + urls + [place for place in places if "://" in place]:
            if not ADDRESS.fullmatch(url):
                raise a.mistake(f"the index '{url}' is no address", "an address is like https://pypi.org/simple", self.path, self.line_of(url))
            a.check_address(url, self.path, self.line_of(url))
        for place in places:
            if "://" not in place:
                a.check_path(os.path.join(a.project, place), place, self.path, self.line_of(place))
        if not a.index_url and default:
            a.index_url = default[0]
        a.extra_index_urls += [url for url in urls if url not in a.extra_index_urls]
        a.find_links += [place if "://" in place else as_word(os.path.normpath(os.path.join(a.project, place))) for place in places]
        for table in tables:
            a.no_index |= table.get("no-index") is True
            a.pre |= table.get("prerelease") == "allow"
        for one in _texts(self.uv.get("constraint-dependencies")):
            a.add(one, self.path, self.line_of(one), is_constraint=True)
        if self.uv.get("override-dependencies"):
            a.warn("override-dependencies of [tool.uv] is passed over", "ask for those versions in dependencies",
                   self.path, self._at("override-dependencies"))

    # ---- sources ----

    def _at(self, name):
        """The line of a source."""
        key = re.compile(rf"""\s*(?:\[tool\.uv\.sources\.)?["']?{re.escape(name)}["']?\s*[=\]]""")
        return next((number for number, line in enumerate(self.text.splitlines(), 1) if key.match(line)), 0)

    def _mistake(self, name, text, hint):
        return self.asked.mistake(f"[tool.uv.sources] {text}", hint, self.path, self._at(name))

    def _applying(self, name, source):
        """Of several the one whose marker holds; None: there is none."""
        for one in source if isinstance(source, list) else [source] if source is not None else []:
            if not isinstance(one, dict):
                raise self._mistake(name, f"says of '{name}' what is no table", f'write {name} = {{ path = "wheels/NAME.whl" }}')
            try:
                if not isinstance(one.get("marker"), str) or Marker(one["marker"][:REQUIREMENT_MAX]).evaluate():
                    return one
            except (ValueError, RecursionError):
                raise self._mistake(name, f"has a marker for '{name}' that is none: {one['marker']}", "a marker is like sys_platform == 'linux'") from None
        return None

    def _pin(self, name, index):
        if not any(one.get("name") == index for one in self.indexes):
            raise self._mistake(name, f"takes '{name}' from the index '{index}', which is not there", f'add [[tool.uv.index]] with name = "{index}" and its url')
        self.pinned.add(index)
        self.asked.warn(f"[tool.uv.sources] takes '{name}' from the index '{index}' alone, and here it may come from any of the indexes",
                        "where that matters: name the wheel's address, or a version with its --hash", self.path, self._at(name))

    def _address(self, name, source):
        if source.get("workspace"):
            raise self._mistake(name, f"takes '{name}' from the workspace, and it would have to be built",
                                "your own modules belong beside the worker's main file; " + _BUILD_IT)
        url, path, git = (source.get(key) for key in ("url", "path", "git"))
        if isinstance(git, str):
            url = git if git.startswith("git+") else "git+" + git
        elif isinstance(path, str):
            whole = os.path.normpath(os.path.join(self.asked.project, path))
            self.asked.check_path(whole, path, self.path, self._at(name))
            if not os.path.isfile(whole) or not whole.endswith(".whl"):
                said = "would have to be built" if os.path.exists(whole) else "is not there"
                raise self._mistake(name, f"takes '{name}' from '{path}', which {said}",
                                    "your own modules belong beside the worker's main file; " + _BUILD_IT)
            if whole not in self.asked.files:
                self.asked.files.append(whole)
            return "file://" + quote(whole)
        if not isinstance(url, str):
            raise self._mistake(name, f"says nothing of '{name}' that Corral knows", "it knows index, and url and path of a wheel")
        self.asked.check_url(url, name, self.path, self._at(name))
        return url
