"""ready.py - what lies ready in python_modules/: distributions by their metadata.

pywrangler fills that folder for Cloudflare's Python, which is compiled to WebAssembly. Its native wheels are of no use here, nor are those
of another Python or another system: such a distribution counts as not there, and its files are left out of the worker, so that another one of its name can be found.
"""
import csv
import email.parser
import os
import re

from corral.sets import normalize

_WASM = re.compile(r"^Tag:.*(wasm32|emscripten|pyodide|pyemscripten|wasi)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
_TAG = re.compile(r"^Tag:[ \t]*(\S{1,200})[ \t]*$", re.MULTILINE)
_METADATA_BYTES_MAX = 4 << 20
DISTRIBUTIONS_MAX = 5000


class Ready:
    """One distribution with metadata. info: its .dist-info folder. is_foreign: native, and not for this machine.
    made_for: what then.
    requires: its Requires-Dist lines. entries: names directly in the folder that belong to it alone."""

    __slots__ = ("name", "version", "info", "is_foreign", "made_for", "requires", "entries")


def _read(path):
    try:
        with open(path, "rb") as f:
            return f.read(_METADATA_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""


def _read_info(info):
    headers = email.parser.HeaderParser().parsestr(_read(os.path.join(info, "METADATA")))
    one = Ready()
    stem = os.path.basename(info)[:-len(".dist-info")]
    one.name = normalize((headers["Name"] or stem.partition("-")[0]).strip())
    one.version = (headers["Version"] or stem.partition("-")[2]).strip()
    one.info = info
    one.requires = headers.get_all("Requires-Dist") or []
    one.made_for = _made_for(_read(os.path.join(info, "WHEEL")))
    one.is_foreign = bool(one.made_for)
    one.entries = set()
    return one


def _made_for(wheel):
    """What this machine is not, as its WHEEL says; ""."""
    if _WASM.search(wheel):
        return "WebAssembly"
    tags = [tag for tag in _TAG.findall(wheel) if not tag.endswith("-any")]
    if not tags or len(tags) < len(_TAG.findall(wheel)):
        return ""
    from corral.packaging.tags import sys_tags      # seldom: most are pure
    return "" if {str(tag) for tag in sys_tags()} & set(tags) else tags[0]


def metadata(info):
    """The text of METADATA."""
    return _read(os.path.join(info, "METADATA"))


def record(info):
    """The paths in RECORD, seen from the folder that has the distribution; those that lead out of it are passed over."""
    rows = csv.reader(_read(os.path.join(info, "RECORD")).splitlines())
    paths = [row[0].replace("\\", "/") for row in rows if row]
    return [path for path in paths if path and not path.startswith("/") and ".." not in path.split("/")]


def find(folder):
    """normalized name -> Ready, of all that has metadata in this folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    found = [_read_info(os.path.join(folder, name)) for name in names if name.endswith(".dist-info")][:DISTRIBUTIONS_MAX]
    # They are written into files for the installer, and name folders there.
    found = [one for one in found if _WORD.fullmatch(one.name) and _WORD.fullmatch(one.version)]
    if any(one.is_foreign for one in found):
        _share_out(found)
    return {one.name: one for one in found}


def _share_out(found):
    """What only foreign distributions have is theirs; a folder that others have, too (a namespace) is not."""
    of_others = set()
    for one in found:
        one.entries = {path.split("/")[0] for path in record(one.info)} - {"."}
        if not one.is_foreign:
            of_others |= one.entries
    for one in found:
        if one.is_foreign:
            one.entries = (one.entries | {os.path.basename(one.info)}) - of_others
