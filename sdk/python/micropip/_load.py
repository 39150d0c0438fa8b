"""_load.py - what pyodide_js.loadPackage() does: packages of the set by name, wheels by address, without asking an index."""
import importlib.metadata
import importlib.util
import urllib.parse

from corral.packaging.utils import canonicalize_name

from . import _site, package_manager

_HOW = "name it in requirements.txt or in the dependencies of pyproject.toml, or take `await micropip.install({name!r})`, which asks an index"


def _is_there(name):
    try:
        importlib.metadata.distribution(name)
        return True
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return importlib.util.find_spec(name.replace("-", "_")) is not None


def _of_set(name):
    """Have a package of the set and what it needs on sys.path; what is new of it.  Raises ModuleNotFoundError."""
    known = _site.package_set()
    if known is None or known.get(name) is None:
        raise ModuleNotFoundError(f"No package named {name!r}: {_HOW.format(name=name)}", name=name)
    new = [one for one in known.closure([name]) if not _is_there(one.name)]
    for one in new:
        _site.add_folder(one.folder)
    _site.refresh()
    return [{"name": one.name, "version": one.version, "fileName": one.folder, "packageType": "package"} for one in new]


async def load(names, loaded):
    """Load these; loaded: pyodide_js.loadedPackages, which is told.  Answers what is new, as Pyodide's PackageData."""
    new = []
    for name in names:
        if urllib.parse.urlsplit(name).path.endswith(".whl"):
            await package_manager.PackageManager().install(name, deps=False)
            project = package_manager.requirement(name).name
            new.append({"name": project, "version": importlib.metadata.version(project), "fileName": name, "packageType": "package"})
            loaded[project] = name
        elif not _is_there(canonicalize_name(name)):
            of_set = _of_set(name)
            new += of_set
            loaded.update((one["name"], "default channel") for one in of_set)
    return new
