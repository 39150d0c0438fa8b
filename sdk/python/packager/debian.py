"""debian.py - the default set: Debian's own Python packages, copied to where workers may import them.

The system's folder is only read. A distribution gets a folder of its own, so that a worker sees what it lists and nothing else.
"""
import hashlib

from corral.sets import split

from . import debian_list, dpkg, homes, needs, report, trees
from .report import Failure


def _chosen(found, by_package):
    """{name: dependencies} of what goes into the set."""
    waiting = [name for name in debian_list.DISTRIBUTIONS if name in found]
    chosen = {}
    while waiting:
        name = waiting.pop()
        if name in chosen:
            continue
        one = found[name]
        wanted, _ = needs.within(one.requires, found)
        known = {name, *(split(need)[0] for need in wanted)}
        followed = {other for package in one.follows for other in by_package.get(package, ())}
        chosen[name] = sorted({*wanted, *(followed - known)})
        waiting += [split(need)[0] for need in chosen[name]]
    return chosen


def _add(making, one, chosen, source):
    folder, name = making.place(one.name, one.version)
    trees.copy(source, one.files, folder)
    extras, lacks = needs.extras_within(one.extras, chosen)
    dependencies = chosen[one.name]
    origin, digest = f"debian:{one.package}={one.package_version}", trees.sha256_of(folder)
    making.add(one.name, {
        "version": one.version, "folder": name, "imports": trees.tops(folder), "dependencies": dependencies,
        "extras": extras, "lacks": lacks, "source": origin, "hash": f"sha256:{digest}",
    }, {
        "dependencies": [{"name": split(need)[0]} for need in dependencies], "directory": {"path": name},
        "tool": {"source": origin, "sha256": digest},
    })


def _look(root):
    try:
        folder, found, by_package = dpkg.installed(root)
    except dpkg.NoDebian as e:
        raise Failure(f"the built-in packages are made of Debian's, and this system has no {e}",
                      "get them from an index: corral packages sync DATE, or list what the worker needs with versions in "
                      "requirements.txt") from None
    missing = [name for name in debian_list.DISTRIBUTIONS if name not in found]
    if len(missing) == len(debian_list.DISTRIBUTIONS):
        raise Failure("none of Debian's Python packages is installed that the built-in packages are made of",
                      "script/dev installs them, or: apt install python3-fastapi python3-httpx python3-numpy ..., "
                      "then: corral packages sync debian")
    if missing:
        report.warning(f"Debian's packages for {', '.join(missing)} are not installed, so workers do not have them built in",
                       "script/dev installs them; then: corral packages sync debian")
    return folder, found, by_package


def _recipe(found, chosen):
    text = "\n".join([str(debian_list.RECIPE), *(f"{name} {found[name].package_version}" for name in sorted(chosen))])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _existing(home):
    return next((one for one in homes.sets(home) if one.name == homes.default_name()), None)


def _make(making, root):
    """(the set, whether it had to be made)"""
    source, found, by_package = _look(root)
    chosen = _chosen(found, by_package)
    recipe, there = _recipe(found, chosen), _existing(making.home)
    if there is not None and there.recipe == recipe:
        return there, False
    report.progress(f"Copying {len(chosen)} of Debian's Python packages to {making.target} (once) ...")
    for name in sorted(chosen):
        _add(making, found[name], chosen, source)
    return making.finish(recipe=recipe), True


def make(home, root="/"):
    """(the default set, whether it was made): made when there is none, or when Debian's packages are others than its own."""
    with homes.Making(home, homes.default_name()) as making:
        return _make(making, root)


def ensure(home, root="/"):
    """The default set, a PackageSet: as it is there, else made."""
    return _existing(home) or make(home, root)[0]


def run(job):
    """Sync of "debian"."""
    made, is_new = make(job["home"])
    return {"set": made.name, "folder": made.folder, "packages": len(made.packages), "new": is_new}
