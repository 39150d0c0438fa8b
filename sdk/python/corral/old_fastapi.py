"""old_fastapi.py - a FastAPI that passes over in silence what code for a newer one says: Debian's is 0.92.

`Annotated[..., Depends(...)]` is known from 0.95 on; before, such a parameter is one of the request, and the dependency, perhaps the one
that asks who it is, is not called. `FastAPI(lifespan=...)` is known from 0.93 on. The worker runs, and the log says so.
"""
import inspect
import re
import sys
import typing

ANNOTATED_SINCE, LIFESPAN_SINCE = (0, 95), (0, 93)
WALKED_MAX = 10000      # functions that are looked at


def warnings(folder):
    """What to say of the applications in the project's modules."""
    fastapi = sys.modules.get("fastapi")
    match = re.match(r"(\d+)\.(\d+)", str(getattr(fastapi, "__version__", "")))
    if not match or (version := (int(match[1]), int(match[2]))) >= ANNOTATED_SINCE:
        return []
    said = []
    for name, app in _applications(fastapi.FastAPI, folder):
        if version < LIFESPAN_SINCE and "lifespan" in getattr(app, "extra", ()):
            said.append(f"`{name} = FastAPI(lifespan=...)` does nothing in FastAPI {fastapi.__version__}: write `{name}.router.lifespan_context = lifespan` "
                        "below it, or add the line `fastapi>=0.93` to requirements.txt, which comes from an index")
        found = list(dict.fromkeys(_annotated(app)))
        if found:
            where, parameter = found[0]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            said.append(f"FastAPI {fastapi.__version__} passes over what stands in `Annotated`: `{parameter}` of {where}(){more} is taken for a plain parameter of the "
                        f"request, and no dependency is called. Write `{parameter}: TYPE = Depends(...)`, or add the line `fastapi>=0.95` to requirements.txt, "
                        "which comes from an index")
    return said


def _applications(kind, folder):
    seen = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and file.startswith(folder) and "/python_modules/" not in file:
            for name, value in list(vars(module).items()):
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield name, value


def _annotated(app):
    """(function, parameter) of all that have something of FastAPI's in Annotated."""
    left = [route.dependant for route in app.routes if hasattr(route, "dependant")]
    for _ in range(WALKED_MAX):
        if not left:
            return
        dependant = left.pop(0)
        left += dependant.dependencies
        if not callable(dependant.call):
            continue
        try:
            hints = typing.get_type_hints(dependant.call if inspect.isroutine(dependant.call) else dependant.call.__init__, include_extras=True)
        except Exception:       # names that are not there at run time
            continue
        for name, hint in hints.items():
            if any(type(one).__module__.startswith("fastapi.") for one in getattr(hint, "__metadata__", ())):
                yield getattr(dependant.call, "__name__", "?"), name
