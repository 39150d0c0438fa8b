"""index.py - the pages of package indexes: PEP 503 (HTML), PEP 691 (JSON), and PyPI's older JSON, as lists of files.

Pure Python without `js`: the packager and micropip use it.  Whatever a page says may be wrong: sizes and numbers are bounded, the
time is linear in the page's length, a file that makes no sense is passed over, a page that makes none is a PageError.
"""
import functools
import html
import json
import re
import urllib.parse
from dataclasses import dataclass, field

from corral.packaging import utils, version as versions

PAGE_MAX = 32 << 20         # bytes of a page
FILES_MAX = 100_000         # files on a page
URL_MAX = 8 << 10           # characters of an address
NAME_MAX = 1000             # characters of a file's name
FIELD_MAX = 16 << 10        # characters of any other field, and of a tag in HTML

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1, application/json;q=0.1"

_HASHES = {"sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sha3_256": 64, "blake2b": 128, "md5": 32, "sha1": 40}
_PROJECT = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_WHEEL = re.compile(r"[\w.+!-]+", re.ASCII)
_SDIST = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


class PageError(ValueError):
    """This is no page of a package index; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a project.

    kind is "wheel" or "sdist"; hashes are of lower-case hexadecimal digits by algorithm; yanked is False, True or the reason;
    metadata says that URL + ".metadata" has its METADATA (PEP 658): False, True, or the hashes of that.
    uploaded: when, "2024-01-01T...", or "" when the index does not say.
    """
    name: str
    kind: str
    version: versions.Version
    url: str
    hashes: dict = field(default_factory=dict)
    requires_python: str = ""
    yanked: bool | str = False
    metadata: bool | dict = False
    size: int | None = None
    uploaded: str = ""


def project_url(index_url, name):
    """Where an index has the page of a project: {package_name} is filled in, else the name is appended (PEP 503)."""
    name = utils.canonicalize_name(name)
    if "{package_name}" in index_url:
        return index_url.replace("{package_name}", name)
    head, mark, query = index_url.partition("?")
    return f"{head.rstrip('/')}/{name}/{mark}{query}"


def parse(body, content_type, url, project):
    """Files of `project` on the page `body` (bytes) that was found at `url`.  Raises PageError.

    Files of other projects, of no known form or of no valid version are passed over, as pip does.
    """
    if len(body) > PAGE_MAX:
        raise PageError(f"a page of more than {PAGE_MAX >> 20} MiB")
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode(_charset(content_type))
    except (UnicodeDecodeError, LookupError):
        raise PageError(f"no text in {_charset(content_type)}, though it says {_quote(content_type)}") from None
    project = utils.canonicalize_name(project)
    if kind.endswith("json"):
        found = _from_json(text, url)
    elif kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
        found = _from_html(text, url)
    else:
        raise PageError(f"{_quote(content_type) if kind else 'something without a content type'}, where HTML or JSON of a package index was expected")
    files, count = [], 0
    for fields in found:
        count += 1
        if count > FILES_MAX:
            raise PageError(f"a page of more than {FILES_MAX} files")
        file = _file(project, **fields)
        if file is not None:
            files.append(file)
    return files


@functools.lru_cache(1000)
def _version(text):
    try:
        return versions.Version(text)
    except ValueError:
        return None


def kind_of(name):
    """(kind, project, version) of a file's name, or None."""
    if len(name) > NAME_MAX:
        return None
    if name.endswith(".whl"):
        parts = name[:-4].split("-")
        if len(parts) not in (5, 6) or not _PROJECT.fullmatch(parts[0]) or not _WHEEL.fullmatch(name):
            return None
        kind, project, version = "wheel", parts[0], _version(parts[1].replace("_", "-"))
    else:
        ending = next((ending for ending in _SDIST if name.endswith(ending)), None)
        if ending is None:
            return None
        project, mark, version = name.removesuffix(ending).rpartition("-")
        kind, version = "sdist", _version(version) if mark and _PROJECT.fullmatch(project) else None
    return None if version is None else (kind, utils.canonicalize_name(project), version)


def _quote(text):
    return repr(text if len(text) <= 100 else text[:100] + "...")


def _charset(content_type):
    found = re.search(r"charset\s*=\s*\"?([\w.:-]{1,40})", content_type, re.I)
    name = found[1].lower() if found else "utf-8"
    return name if name in ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252") else "utf-8"


def _file(project, name, url, hashes, requires_python, yanked, metadata, size, uploaded=""):
    known = kind_of(name)
    if known is None or known[1] != project:
        return None
    return File(name, known[0], known[2], url, hashes, requires_python, yanked, metadata, size, uploaded)


def _resolve(page, url):
    """An address on a page, and its last part, or None."""
    if not isinstance(url, str) or len(url) > URL_MAX or any(c < " " or c == "\x7f" for c in url):
        return None
    try:
        whole = urllib.parse.urljoin(page, url.strip())
        parts = urllib.parse.urlsplit(whole)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "file") or (parts.scheme == "file") > page.startswith("file:"):
        return None
    return parts._replace(fragment="").geturl(), parts.fragment, urllib.parse.unquote(parts.path.rpartition("/")[2])


def _hashes(given):
    """Those of `given` that are well-formed."""
    if not isinstance(given, dict):
        return {}
    return {name.lower(): value.lower() for name, value in given.items()
            if isinstance(value, str) and len(value) == _HASHES.get(name.lower()) and re.fullmatch("[0-9a-fA-F]+", value)}


def _text(value):
    return value if isinstance(value, str) and len(value) <= FIELD_MAX else ""


# ---- HTML ----

_TAG = re.compile(r"<(?:!--|(a|base)(?=[\s/>]))", re.I)
_ATTRIBUTE = re.compile(r"[\s/]*([^\s=>/\"']{1,200})(?:\s{0,100}=\s{0,100}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_END = re.compile(r"[\s/]*>")


def _attributes(text, start):
    """Attributes of the tag whose name ends at `start`, and where the tag ends."""
    at, stop, found = start, start + FIELD_MAX, {}
    while not (end := _END.match(text, at, stop)):
        one = _ATTRIBUTE.match(text, at, stop)
        if one is None:
            raise PageError("HTML with a link that does not end")
        found.setdefault(one[1].lower(), html.unescape(one[2] or one[3] or one[4] or ""))
        at = one.end()
    return found, end.end()


def _from_html(text, url):
    base, at, tags, seen_repository = url, 0, 0, False
    while tag := _TAG.search(text, at):
        tags += 1
        if tags > 2 * FILES_MAX:
            raise PageError(f"HTML with more than {2 * FILES_MAX} links")
        if tag[1] is None:
            at = text.find("-->", tag.end())
            if at < 0:
                break
            continue
        attributes, at = _attributes(text, tag.end())
        if tag[1].lower() == "base":
            where = _resolve(url, attributes.get("href"))
            base = where[0] if where else base
            continue
        where = _resolve(base, attributes.get("href"))
        if where is None:
            continue
        seen_repository = seen_repository or kind_of(where[2]) is not None
        yield {"url": where[0], "name": where[2], "hashes": _fragment_hashes(where[1]),
               "requires_python": _text(attributes.get("data-requires-python")), "size": None,
               "yanked": (_text(attributes["data-yanked"]) or True) if "data-yanked" in attributes else False,
               "metadata": _html_metadata(attributes)}
    if not seen_repository and not re.search(r"pypi:repository-version|<title>\s{0,20}(?:Simple index|Links for)", text[:FIELD_MAX], re.I):
        raise PageError("HTML without a link to a wheel or a source distribution, which is no page of a package index")


def _fragment_hashes(fragment):
    name, mark, value = fragment.partition("=")
    return _hashes({name: value.partition("&")[0]}) if mark else {}


def _html_metadata(attributes):
    said = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
    if said is None or said.lower() == "false":
        return False
    return _fragment_hashes(said) or True


# ---- JSON ----


def _from_json(text, url):
    try:
        page = json.loads(text)
    except (ValueError, RecursionError):
        raise PageError("something that is called JSON and is not") from None
    if not isinstance(page, dict):
        raise PageError("JSON that is no page of a package index")
    meta = page.get("meta")
    api = meta.get("api-version", "1.0") if isinstance(meta, dict) else "1.0"
    if not isinstance(api, str) or not api.startswith("1."):
        raise PageError(f"a page of version {_quote(str(api))} of the index's interface, where 1 is known")
    if isinstance(page.get("files"), list):
        return _from_simple(page["files"], url)
    if isinstance(page.get("releases"), dict):
        return _from_releases(page["releases"], url)
    raise PageError("JSON that is no page of a package index: it has neither 'files' nor 'releases'")


def _one(url, given, hashes, metadata):
    where = _resolve(url, given.get("url"))
    name = given.get("filename")
    if where is None or not isinstance(name, str):
        return None
    size, yanked = given.get("size"), given.get("yanked", False)
    return {"url": where[0], "name": name, "hashes": _hashes(hashes) or _fragment_hashes(where[1]),
            "requires_python": _text(given.get("requires-python", given.get("requires_python"))),
            "size": size if type(size) is int and 0 <= size < 1 << 60 else None,
            "uploaded": _text(given.get("upload-time", given.get("upload_time_iso_8601"))),
            "yanked": (_text(given.get("yanked_reason")) or True) if yanked is True else _text(yanked) or bool(yanked), "metadata": metadata}


def _from_simple(files, url):
    for given in files:
        if not isinstance(given, dict):
            continue
        metadata = given.get("core-metadata", given.get("dist-info-metadata", False))
        one = _one(url, given, given.get("hashes"), _hashes(metadata) or bool(metadata))
        if one is not None:
            yield one


def _from_releases(releases, url):
    for files in releases.values():
        for given in files if isinstance(files, list) else ():
            one = _one(url, given, given.get("digests"), False) if isinstance(given, dict) else None
            if one is not None:
                yield one
