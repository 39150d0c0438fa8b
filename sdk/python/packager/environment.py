"""environment.py - the job "environment": from what a project asks for to the folders that go on its worker's sys.path.

    requirements.txt, pyproject.toml -> Asked -> choose: python_modules/ and the package set -> all met: no index is asked
                                                   something is not met -> the rest from the index, with the set's versions as constraints
                                                                              they contradict each other -> everything from the index

Hashes name files of an index: where requirements have them, the set has no part in it.
"""
import hashlib
import json
import os
import sysconfig

from corral import sets

from . import choose, mistaken, needs, pyproject, ready, report, requirements, walls
from .asked import Asked, python_version
from .report import Failure

FORMAT = 1          # of environments: others are not taken


def run(job):
    """See src/packages/packages.h."""
    package_set = None
    if job.get("upload"):       # the set is everybody's, so it is made out here
        package_set = _find_set(job)
        walls.enter_for_upload(job)
    rules = None
    if job.get("network"):
        from . import installer, network
        rules = network.Network(job["network"], installer.named_by_environment())
        rules.guard()
    asked = Asked(job["project"], is_confined=bool(job.get("upload")), network=rules)
    if job.get("whole_set"):
        return _whole_set(package_set or _find_set(job), asked)
    try:
        return _run(job, asked, package_set)
    except Failure as failure:
        failure.inputs = asked.files
        raise


def _run(job, asked, package_set):
    project = asked.project
    has_any = requirements.read_file(asked, os.path.join(project, "requirements.txt"))
    has_any |= pyproject.read_file(asked, os.path.join(project, "pyproject.toml"))
    if not asked.wanted and not has_any:
        mistaken.warn_of_other_files(asked)
    there = ready.find(os.path.join(project, "python_modules"))
    foreign = [one for one in there.values() if one.is_foreign] if job.get("upload") and not has_any else []
    if not has_any and not foreign:
        package_set = None
    elif not job.get("upload"):
        package_set = _find_set(job)
    for one in foreign:     # what asked for them has not been uploaded
        is_there = package_set is not None and package_set.get(one.name) is not None
        asked.add(one.name if is_there else f"{one.name}=={one.version}", one.info, 0)
    left_out = _leave_out(asked, there)
    choice = choose.choose(asked, there, package_set)
    for note in asked.notes:
        report.warning(**note)
    if choice.is_whole:
        return _answer(asked, package_set, choice.names, None, left_out)
    from .maker import Maker    # and with it what installs, which most projects do without
    maker = Maker(job, asked, there, package_set, choice)
    return _answer(asked, package_set, *maker.make(), left_out)


def _whole_set(package_set, asked):
    """For a project that names no package: uploads whose client does not send what they ask for."""
    return _answer(asked, package_set, sorted(package_set.packages) if package_set is not None else [], None, [])


def _find_set(job):
    found = sets.for_date(sets.all_in(job["home"]), job.get("date", ""))
    if found is not None:
        return found
    from . import debian        # seldom: it is made once
    try:
        return debian.ensure(job["home"])
    except Failure as e:
        report.warning(e.text, e.hint)
        return None


def _leave_out(asked, there):
    """Paths of the project that are not to be in the worker: what was made for another machine."""
    foreign = sorted((one for one in there.values() if one.is_foreign), key=lambda one: one.name)
    wanted = {w.name for w in asked.wanted}
    for made_for in dict.fromkeys(one.made_for for one in foreign):
        those = [one for one in foreign if one.made_for == made_for]
        missing = [one.name for one in those if one.name not in wanted and not _is_needed(one.name, there, wanted)]
        names = ", ".join(f"{one.name} {one.version}" for one in those[:5]) + (f" and {len(those) - 5} more" if len(those) > 5 else "")
        what = f"{made_for}, which Cloudflare runs and this machine does not" if made_for == "WebAssembly" else (
            f"{made_for}, and this machine runs Python {python_version()} on {sysconfig.get_platform()}")
        asked.warn(f"python_modules/ has {names} for {what}: it counts as not there",
                   f"name {', '.join(missing)} in requirements.txt, and this machine's own is taken" if missing else
                   "this machine's own is taken in its place")
    return sorted("python_modules/" + entry for one in foreign for entry in one.entries)


def _is_needed(name, there, wanted):
    """Whether something that is asked for will bring it, by what lies in python_modules/."""
    for other in there.values():
        if other.name in wanted:
            for line in other.requires:
                need = needs.parse(line)
                if need is not None and sets.normalize(need.name) == name:
                    return True
    return False


def _answer(asked, package_set, names, made, left_out):
    """names: of the set's distributions. made: (folder, what environment.json says) or None."""
    taken = package_set.closure(names) if package_set is not None else []
    folders = [one.folder for one in taken]
    packages = [{"name": one.name, "version": one.version, "source": f"the package set {package_set.name}"} for one in taken]
    size = 0
    if made is not None:
        folder, said = made
        folders.insert(0, os.path.join(folder, "packages"))
        packages = said["packages"] + packages
        size = said["bytes"]
    set_folder = package_set.folder if package_set is not None else ""
    text = json.dumps([FORMAT, folders, set_folder, packages, left_out])
    return {"folders": folders, "set": set_folder, "hash": hash_of(text), "bytes": size, "packages": packages, "inputs": asked.files,
            "environment": made[0] if made is not None else "", "left_out": left_out}


def hash_of(text):
    """32 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
