"""pyproject.py - read [project] dependencies of pyproject.toml, as pywrangler does, and of [tool.uv] where they come from, as its uv does."""
import os
import re
import tomllib
from urllib.parse import quote

from corral.packaging.specifiers import SpecifierSet
from corral.sets import normalize

from . import mistaken
from .asked import REQUIREMENT_MAX, python_version


def read_file(asked, path):
    """Add the dependencies of this file. Whether there is one; Mistake: something in it is wrong."""
    text = asked.read(path)
    if text is None:
        return False
    try:
        whole = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        at = re.search(r" \(at line (\d+), column \d+\)$", str(e))
        said = str(e)[:at.start()] if at else str(e)
        raise asked.mistake(f"this is not TOML: {said}", file=path, line=int(at[1]) if at else 0) from None
    project = whole.get("project", {})
    if not isinstance(project, dict):
        raise asked.mistake("'project' is no table", file=path)
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
        raise asked.mistake("'dependencies' of [project] is no list of strings", 'write dependencies = ["fastapi"]', path,
                            _line_of(text, "dependencies"))
    if "dependencies" in (project.get("dynamic") or ()):
        asked.warn("the dependencies are said to be dynamic, and are not read",
                   'list them: dependencies = ["fastapi"]', path, _line_of(text, "dynamic"))
    _check_python(asked, project, text, path)
    unread = "" if dependencies else mistaken.unread_table(whole)
    if unread:
        asked.warn(f"[{unread}] is not read" if "." in unread else f"'{unread}' is not read where it stands",
                   'what the worker needs stands below [project]: dependencies = ["fastapi", "httpx>=0.23"]', path)
    sources = _read_uv(asked, whole, path)
    for one in dependencies:
        line = _line_of(text, one)
        asked.add(_with_source(asked, one, sources, path, line), path, line)
    return True


# ---- [tool.uv]: indexes, and other places ----


def _read_uv(asked, whole, path):
    """Take the indexes; normalized name -> where else it comes from."""
    tool = whole.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    if not isinstance(uv, dict):
        return {}
    tables = uv.get("index")
    indexes = [one for one in tables if isinstance(one, dict)] if isinstance(tables, list) else []
    default = next((one.get("url") for one in indexes if one.get("default") is True), None) or uv.get("index-url")
    extra = [one.get("url") for one in indexes if one.get("default") is not True]
    extra += uv.get("extra-index-url") if isinstance(uv.get("extra-index-url"), list) else []
    for url in [default, *extra]:
        if url is not None and not (isinstance(url, str) and re.match(r"(https?|file)://", url)):
            raise asked.mistake(f"an index of [tool.uv] is {url!r}, which is no address", "an address is like https://pypi.org/simple", path)
    asked.index_url = asked.index_url or default or ""      # requirements.txt has been read before
    asked.extra_index_urls += [url for url in extra if url not in asked.extra_index_urls]
    sources = uv.get("sources")
    return {normalize(name): source for name, source in sources.items()} if isinstance(sources, dict) else {}


def _with_source(asked, said, sources, path, line):
    """The requirement with the address that [tool.uv.sources] gives it."""
    name = re.match(r"\s*([A-Za-z0-9._-]+)", said)
    source = sources.get(normalize(name[1])) if name else None
    if not isinstance(source, dict) or "index" in source:
        return said
    if "git" in source:
        where = f"git+{source['git']}"
    elif "workspace" in source or not isinstance(source.get("url", source.get("path")), str):
        where = "the workspace"
    elif "url" in source:
        where = source["url"]
    else:
        where = os.path.normpath(os.path.join(asked.project, source["path"]))
        if where not in asked.files and where.endswith(".whl"):
            asked.files.append(where)
        where = "file://" + quote(where)
    asked.check_url(where, name[1], path, line)
    extras = re.match(r"\s*[A-Za-z0-9._-]+\s*(\[[^\]]*\])?", said)[1] or ""
    marker = said.partition(";")[2].strip()
    return f"{name[1]}{extras} @ {where}" + (f" ; {marker}" if marker else "")


def _line_of(text, said):
    """Where this stands, as well as can be told of TOML that tomllib has read; 0: not known."""
    quoted = re.compile(r"""["']""" + re.escape(said).replace('"', r'\\?"') + r"""["']""")
    bare = re.compile(r"^\s*" + re.escape(said) + r"\s*=")
    for number, line in enumerate(text.splitlines(), 1):
        if quoted.search(line.partition("#")[0] if line.lstrip().startswith("#") else line) or bare.search(line):
            return number
    return 0


def _check_python(asked, project, text, path):
    wanted = project.get("requires-python")
    if not isinstance(wanted, str):
        return
    line = _line_of(text, "requires-python")
    try:
        fits = SpecifierSet(wanted[:REQUIREMENT_MAX]).contains(python_version())
    except ValueError:
        raise asked.mistake(f"requires-python is '{wanted}', which names no versions", 'write requires-python = ">=3.11"', path, line) from None
    if not fits:
        asked.warn(f"the project asks for Python {wanted}, and this Corral runs Python {python_version()}",
                   "it is tried all the same; syntax and modules that are newer will be missing", path, line)
