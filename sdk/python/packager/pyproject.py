"""pyproject.py - read [project] dependencies of pyproject.toml, as pywrangler does, and what [tool.uv] says of them."""
import re
import tomllib

from corral.packaging.specifiers import SpecifierSet

from . import mistaken
from .asked import REQUIREMENT_MAX, python_version
from .uv_settings import UvSettings

_QUOTED = re.compile(r"""\"[^"]*\"|'[^']*'""")


def read_file(asked, path):
    """Add the dependencies of this file. Whether there is one; Mistake: something in it is wrong."""
    text = asked.read(path)
    if text is None:
        return False
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as e:       # also a number of many digits
        at = re.search(r" \(at line (\d+), column \d+\)$", str(e))
        reason = str(e)[:at.start()] if at else str(e)
        raise asked.mistake(f"this is not TOML: {reason}", file=path, line=int(at[1]) if at else 0) from None
    project = said.get("project", {})
    if not isinstance(project, dict):
        raise asked.mistake("'project' is no table", file=path)
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
        raise asked.mistake("'dependencies' of [project] is no list of strings", 'write dependencies = ["fastapi"]', path,
                            _line_of(text, "dependencies"))
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        asked.warn("the dependencies are said to be dynamic, and are not read",
                   'list them: dependencies = ["fastapi"]', path, _line_of(text, "dynamic"))
    _check_python(asked, project, text, path)
    unread = "" if dependencies else mistaken.unread_table(said)
    if unread:
        asked.warn(f"[{unread}] is not read" if "." in unread else f"'{unread}' is not read where it stands",
                   'what the worker needs stands below [project]: dependencies = ["fastapi", "httpx>=0.23"]', path)
    settings = UvSettings(asked, said, path, text, lambda what: _line_of(text, what))
    lines = _lines_of_strings(text)
    for one in dependencies:
        asked.add(settings.requirement(one), path, lines.get(one) or (_line_of(text, one) if '"' in one else 0))
    settings.take_indexes()
    return True


def _lines_of_strings(text):
    """{what stands between quotes: its first line}, where there are no quotes in it; comments apart."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            for quoted in _QUOTED.findall(line):
                found.setdefault(quoted[1:-1], number)
    return found


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
