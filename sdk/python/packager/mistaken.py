"""mistaken.py - what people write in place of a requirement, or put it into, and what to write instead."""
import difflib
import os
import re
import sys
import unicodedata

from corral.import_names import PACKAGES
from corral.sets import normalize

from . import needs

_COMMAND = re.compile(r"[$>!%\s]*(?:\S*python[\d.]*\s+-m\s+)?(?:uv\s+)?(?:pip[\d.]*\s+install|conda\s+install|(?:uv|poetry|pdm|pipenv)\s+(?:add|install))(?:\s+(.*))?$")
_STATEMENT = re.compile(r"(?:import|from)\s+([A-Za-z_]\w*)")
_NAME = r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[^\]]*\])?)"
_VERSION = re.compile(_NAME + r"(?:\s*([=<>~^@:!]+)\s*|\s+)([\^~=<>]*)v?(\d[\w.*+!]*)")
_NEWEST = re.compile(_NAME + r"\s*[=<>~^@:]*\s*(?:latest|newest|\*)$")
_USUAL = "a requirement is a name, and a version if need be: fastapi, fastapi==0.92.0, uvicorn[standard]>=0.20; python_version < '3.12'"

# What is there without being asked for.
_PLATFORM = frozenset("workers asgi wsgi pyodide js corral cloudflare-workers pyodide-http pyodide-js".split())


def how(text):
    """What to write instead of this, which is no requirement."""
    command = _COMMAND.match(text)
    if command:
        names = [word.strip("\"'") for word in (command[1] or "").split() if not word.startswith("-") and "://" not in word]
        return f"what is to be installed stands here alone, each on a line of its own: {', '.join(names) or 'fastapi'}"
    statement = _STATEMENT.match(text)
    if statement:
        return f"the name of the package stands here alone: {PACKAGES.get(statement[1], statement[1])}"
    if text[0] in "[{]}" or re.match(r"[\w-]+\s*[=:]\s*[\[{]", text):
        return "here stands one requirement on each line, without brackets and quotes; lists are for pyproject.toml, dependencies = [...] below [project]"
    hidden = next((c for c in text if unicodedata.category(c) in ("Cf", "Cc", "Co", "Cn")), "")
    if hidden:
        return f"there is a character in it that cannot be seen, U+{ord(hidden):04X}: delete the line, and type it anew"
    return _how_to_say(text)


def _how_to_say(text):
    bare = re.sub(r"^(?:[-*•]+\s+)", "", text).strip(" \t`'\",;")
    if bare != text and bare and needs.parse(bare):
        return f"without anything around it: {bare}"
    newest = _NEWEST.match(text)
    if newest:
        return f"a name alone is the package set's version, or else the newest: {newest[1]}"
    version = _VERSION.match(text)
    if version:
        least = set("^~>") & set((version[2] or "") + version[3])
        says = "one version is named by two equals signs" if version[2] == "=" and not least else "a version comes behind '==' or '>='"
        return f"{says}: {version[1]}{'>=' if least else '=='}{version[4].rstrip('.')}"
    words = [word.strip("`'\"") for word in re.split(r"[,;\s]+", bare) if word]
    if len(words) > 1 and all(map(needs.parse, words)):
        return f"each stands on a line of its own: {', '.join(words)}; what is said of it, behind a #"
    return _USUAL


def meant(name, package_set):
    """What somebody meant who asked for a package of this (normalized) name, a sentence; "": no idea."""
    if name in {normalize(module) for module in sys.stdlib_module_names}:
        return f"'{name}' is a part of Python: leave the line out."
    if name in _PLATFORM:
        return f"'{name}' is always there: leave the line out."
    module = next((known for known in PACKAGES if normalize(known) == name), "")
    package = package_set.provider(module or name.replace("-", "_")) if package_set is not None else None
    right = package.name if package is not None else PACKAGES.get(module, "")
    if right and normalize(right) != name:
        return f"'{module or name}' is the name to import: the package is '{right}'."
    known = [*(package_set.packages if package_set is not None else ()), *map(normalize, PACKAGES.values())]
    near = [one for one in difflib.get_close_matches(name, known, 1, 0.75) if one != name and name not in known]
    return f"{name}: did you mean '{near[0]}'?" if near else ""


# ---- files that nobody reads ----

# src/packages/environment.c has the same names: where one of these is, and nothing that is read, the packager is asked all the same.
_ELSEWHERE = ("src/requirements.txt", "src/pyproject.toml", "Requirements.txt", "requirement.txt", "requirements.in", "Pipfile", "environment.yml")


def warn_of_other_files(asked):
    """Called when nothing was asked for."""
    for name in _ELSEWHERE:
        path = os.path.join(asked.project, name)
        if os.path.isfile(path) and not any(os.path.exists(read) and os.path.samefile(path, read) for read in asked.files):
            asked.files.append(path)
            right = "pyproject.toml" if name.endswith("pyproject.toml") else "requirements.txt"
            asked.warn(f"{name} is not read, and so the worker has no packages",
                       f"move it to {right}, beside the configuration" if name.endswith((".txt", ".toml")) else
                       f"write what the worker needs into {right}, a line for each package", file=path)


_OTHERS = (("tool.poetry.dependencies", ("python",)), ("tool.uv.dependencies", ()), ("tool.pdm.dependencies", ()), ("tool.hatch.dependencies", ()),
           ("dependencies", ()), ("packages", ()), ("tool.pywrangler.dependencies", ()))


def unread_table(said):
    """The dotted name of a table of pyproject.toml that has dependencies, and is another program's; ""."""
    for dotted, but in _OTHERS:
        at = said
        for part in dotted.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        if isinstance(at, (dict, list)) and any(one not in but for one in at):
            return dotted
    return ""
