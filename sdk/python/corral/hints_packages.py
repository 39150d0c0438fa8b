"""hints_packages.py - what to do about packages: that are missing, of another version, that want what no worker has, that are called wrongly."""
import difflib
import os
import re
import sys

from . import packages
from .import_names import PACKAGES

_WHERE = "to requirements.txt (or to the dependencies of pyproject.toml)"

_SERVERS = frozenset("uvicorn gunicorn hypercorn daphne granian waitress mangum".split())
_DRIVERS = frozenset("psycopg psycopg2 asyncpg pg8000 mysql MySQLdb pymysql aiomysql pymongo motor redis aioredis pika kafka cassandra ldap3 paramiko".split())


def for_import(name):
    """A module that is not there: `name` is its first part."""
    if name == "pyodide_http":
        return "`pyodide_http` is not needed: leave it out; requests, urllib3 and urllib.request work as they are"
    if name in ("pip", "ensurepip", "piplite"):
        return "packages are named in requirements.txt (or in the dependencies of pyproject.toml); in a handler, `await micropip.install('NAME')` brings one"
    if name in _SERVERS:
        return (f"a worker needs no server: `return await asgi.fetch(app, request, self.env)` answers its requests. Import it where it is run, "
                f"below `if __name__ == \"__main__\":`, or add the line `{name}` {_WHERE}")
    package_set = packages.package_set()
    built_in = package_set.provider(name) if package_set is not None else None
    if built_in is not None:
        return f"'{name}' is the package {built_in.name}, which is built in: add the line `{built_in.name}` {_WHERE}"
    package = PACKAGES.get(name) or PACKAGES.get(name.lower())
    if package or name in _DRIVERS:
        package = package or name
        refused = "; but a worker has no sockets of its own, and it can connect to nothing: ask the server's interface of HTTP, or use D1" if name in _DRIVERS else ""
        return f"'{name}' is the package {package}: add the line `{package}` {_WHERE}; it comes from an index, PyPI if no other is named{refused}"
    near = difflib.get_close_matches(name, PACKAGES, 1, 0.8)
    return ((f"did you mean `{near[0]}`? If not, " if near else "") +
            f"put {name}.py into the worker's folder, or, if '{name}' is a package, name it in requirements.txt or in the dependencies of pyproject.toml")


def for_exception(e):
    """What to do about it, where that is known; else ''."""
    for known in (_for_call, _for_json, _for_request, _for_version, _for_file, _for_words):
        hint = known(e)
        if hint:
            return hint
    return ""


# ---- applications and clients that are called wrongly ----

_ASGI_ARGUMENTS = re.compile(r"^fetch\(\) missing \d required positional arguments?: (?:'req' and )?'env'$")
_NOT_ASGI = re.compile(r"__call__\(\) takes 3 positional arguments but 4 were given$")
_NOT_WSGI = re.compile(r"__call__\(\) missing [12] required positional arguments?: (?:'receive' and )?'send'$")
_NOT_AWAITED = re.compile(r"^object (Response|HTTPResponse|addinfourl|Session|dict|list|str|bytes) can't be used in 'await' expression$")


def _for_call(e):
    if isinstance(e, ValueError) and e.args and str(e.args[0]).startswith("Can't patch loop of type"):
        return "it is not needed: asyncio.run(main()) and loop.run_until_complete(main()) wait in handlers as they are"
    if not isinstance(e, TypeError) or not e.args or not isinstance(e.args[0], str):
        return ""
    said = e.args[0]
    if _ASGI_ARGUMENTS.match(said):
        return "`await asgi.fetch(app, request, self.env)`: the application, the request, and the environment for request.scope[\"env\"]"
    if _NOT_ASGI.search(said):
        return "an application of WSGI, as Flask's are: `from workers import wsgi`, `await wsgi.fetch(app, request, self.env)`"
    if _NOT_WSGI.search(said):
        return "an application of ASGI, as FastAPI's are: `from workers import asgi`, `await asgi.fetch(app, request, self.env)`"
    if _NOT_AWAITED.match(said):
        return "it is there already: leave out the `await`, which is for functions that are `async def`"
    return ""


# ---- values that are no JSON ----

_NO_JSON = re.compile(r"^Object of type (\w+) is not JSON serializable$")
_AS_JSON = {"ndarray": "value.tolist()", "DataFrame": "value.to_dict('records')", "Series": "value.to_dict()", "datetime": "value.isoformat()",
            "date": "value.isoformat()", "time": "value.isoformat()", "Decimal": "str(value), or float(value)", "UUID": "str(value)", "set": "list(value)",
            "frozenset": "list(value)", "bytes": "value.decode(), or base64.b64encode(value).decode()", "Path": "str(value)", "PosixPath": "str(value)"}


def _for_json(e):
    match = _NO_JSON.match(str(e.args[0])) if isinstance(e, TypeError) and e.args else None
    if not match:
        return ""
    name = match[1]
    if re.fullmatch(r"(u?int|float|complex)\d+|bool_", name):
        return "a number of numpy: value.item() makes one of Python of it"
    if name in _AS_JSON:
        return f"{_AS_JSON[name]} can be sent"
    classes = [c for c in _models() if c.__name__ == name]
    if classes:
        return (
            "a model of pydantic: " + ("value.model_dump(mode='json')" if hasattr(classes[0], "model_dump") else "value.dict()") + " makes a dict of it")
    return ""


def _models():
    base = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    left, found = [base] if isinstance(base, type) else [], []
    while left and len(found) < 10000:
        left += (more := type.__subclasses__(left.pop()))
        found += more
    return found


# ---- the environment of a framework's request ----


def _for_request(e):
    if not isinstance(e, AttributeError) or e.name != "env" or e.obj is None:
        return ""
    modules = {c.__module__.partition(".")[0] for c in type(e.obj).__mro__}
    if modules & {"starlette", "fastapi"}:
        return "the environment is request.scope[\"env\"]"
    if modules & {"flask", "werkzeug", "django"}:
        return "the environment is request." + ("META" if "django" in modules else "environ") + "[\"workers.env\"]"
    return ""


# ---- names of other versions ----


def _for_version(e):
    """A name that the package here has not: newer ones may."""
    if isinstance(e, ImportError) and not isinstance(e, ModuleNotFoundError) and e.name and str(e).startswith("cannot import name"):
        module = sys.modules.get(e.name)
    elif isinstance(e, AttributeError) and isinstance(e.obj, type(sys)):
        module = e.obj
    elif isinstance(e, AttributeError) and e.name and e.name.startswith("model_"):
        cls = e.obj if isinstance(e.obj, type) else type(e.obj)
        module = sys.modules.get("pydantic") if any(c in cls.__mro__ for c in (getattr(sys.modules.get("pydantic"), "BaseModel", None),)) else None
    elif type(e).__name__ == "FastAPIError":
        fastapi = sys.modules.get("fastapi")
        return (f"this is FastAPI {fastapi.__version__}: what stands in `Annotated` is known from 0.95 on, `name: TYPE = Depends(...)` in every version; "
                "the line `fastapi>=0.95` in requirements.txt brings a newer one from an index") if _is_annotated(e, fastapi) else ""
    else:
        return ""
    found = _distribution(getattr(module, "__file__", None))
    if not found:
        return ""
    name, version = found
    if name == "pydantic" and version.startswith("1."):
        return (f"this is pydantic {version}: code for pydantic 2 wants the line `pydantic>=2` in requirements.txt (with FastAPI `fastapi>=0.100`), "
                "which comes from an index; docs/packages.md says how to have the versions of a date")
    return f"this is {name} {version}: another version may have it, `{name}>{version}` in requirements.txt brings a newer one from an index"


def _is_annotated(e, fastapi):
    """An old FastAPI that takes a dependency for a value."""
    return "Annotated" in str(e)[:4096] and re.match(r"0\.(\d|[0-8]\d|9[0-4])\.", str(fastapi.__version__))


def _distribution(file):
    """(name, version) of the package that has this file, by its folder of the set; None."""
    for folder in packages.folders:
        if isinstance(file, str) and file.startswith(folder + "/"):
            match = re.fullmatch(r"(.+)-([^-]+)", os.path.basename(folder))
            if match:
                return match[1], match[2]
            return _installed(folder, file[len(folder) + 1:].partition("/")[0].removesuffix(".py"))
    return None


def _installed(folder, module):
    from importlib.metadata import distributions
    for one in distributions(path=[folder]):
        if one.metadata["Name"].lower().replace("-", "_") == module.lower():
            return one.metadata["Name"], one.version
    return None


# ---- files ----

_NO_FOLDER = re.compile(r"^Directory '([^'/][^']*)' does not exist$")


def _for_file(e):
    """A path that is meant to be beside the main module."""
    match = _NO_FOLDER.match(str(e.args[0])) if isinstance(e, RuntimeError) and e.args else None
    path = match[1] if match else e.filename if isinstance(e, FileNotFoundError) else None
    if not isinstance(path, str) or not path or path.startswith("/") or not sys.path:
        return ""
    if os.path.exists(os.path.join(sys.path[0], path)):
        return f"it is seen from the worker's main file so: pathlib.Path(__file__).parent / \"{path}\""
    return ""


# ---- what libraries themselves say ----

_PIP = re.compile(r"pip3? install (?:-U |--upgrade )?[`'\"]?([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[\w,-]+\])?)")


def _for_words(e):
    match = _PIP.search(str(e.args[0])[:4096]) if isinstance(e, (ImportError, RuntimeError, AssertionError)) and e.args else None
    return f"add the line `{match[1]}` {_WHERE}" if match else ""
