"""_freeze.py - a lock file in the form of pyodide-lock.json."""
import json
import platform
import sys
import sysconfig

import pyodide
from corral import resolve
from corral.packaging.utils import canonicalize_name

from . import _site


def freeze():
    """Its text: the package set, and what was installed besides."""
    known = _site.package_set()
    packages = {name: _of_set(name, one) for name, one in known.packages.items()} if known else {}
    packages.update((name, entry) for name, one in _site.installed().items() if (entry := _installed(name, one)))
    info = {"abi_version": "", "arch": platform.machine(), "platform": sysconfig.get_platform().replace("-", "_").replace(".", "_"),
            "python": platform.python_version(), "version": pyodide.__version__}
    return json.dumps({"info": info, "packages": dict(sorted(packages.items()))})


def _entry(name, version, file_name, sha256, imports, depends):
    return {"name": name, "version": version, "file_name": file_name, "install_dir": "site", "sha256": sha256, "package_type": "package",
            "imports": sorted(imports), "depends": depends, "unvendored_tests": False, "shared_library": False}


def _of_set(name, one):
    return _entry(name, one.version, f"file://{one.folder}", one.hash.removeprefix("sha256:"), one.imports,
                  [need.partition("[")[0] for need in one.dependencies])


def _installed(name, distribution):
    url = distribution.read_text("PYODIDE_URL")
    if not url:
        return None
    requires = distribution.read_text("PYODIDE_REQUIRES")
    depends = json.loads(requires) if requires else _requires(distribution)
    return _entry(distribution.name, distribution.version, url, distribution.read_text("PYODIDE_SHA256"), _imports(distribution), depends)


def _requires(distribution):
    found = [resolve.parse(text) for text in distribution.requires or ()]
    return sorted({canonicalize_name(one.name) for one in found if resolve.applies(one)})


def _imports(distribution):
    """Names of its top-level modules."""
    said = (distribution.read_text("top_level.txt") or "").split()
    if said:
        return said
    paths = [str(file) for file in distribution.files or ()]
    tops = {path.partition("/")[0].partition(".")[0] for path in paths if path.endswith((".py", ".so")) and not path.startswith("bin/")}
    return [top for top in tops if top.isidentifier() and top not in sys.builtin_module_names]
