"""maker.py - make, or find, the environment of what the package set does not have. Called by environment.py."""
import json
import os
import shutil
import sys
import sysconfig

from corral import sets

from . import installer, needs, places, ready, report, walls
from .environment import FORMAT, hash_of


class _Conflict(Exception):
    """With the set's versions it cannot be; failure: why."""

    def __init__(self, failure):
        super().__init__(failure.text)
        self.failure = failure


class Maker:
    """Makes, or finds, the environment of what the set does not have."""

    def __init__(self, job, asked, there, package_set, choice):
        self.job, self.asked, self.package_set, self.choice = job, asked, package_set, choice
        # What an account's uploads have brought along is for that account alone.
        self.cache = os.path.join(job["state"] if job.get("upload") else job["home"], ".cache")
        self.there = [one for one in there.values() if not one.is_foreign]
        self.sources = installer.indexes(asked)
        self.has_hashes = any(w.hashes for w in asked.wanted)

    def make(self):
        """(names of the set's distributions that the worker needs, (folder, what environment.json says))"""
        if self.package_set is not None and not self.has_hashes:
            found = self._look(True) or self._look(False)
            if found:
                return found
            try:
                return self._place(True)
            except _Conflict as conflict:
                self._say_conflict(conflict.failure)
        try:
            return self._place(False)
        except _Conflict as conflict:
            raise conflict.failure from None

    def _say_conflict(self, failure):
        report.progress(f"With the versions of the package set {self.package_set.name} these requirements do not fit together: "
                        f"everything comes from {self.sources.shown()}")

    def _names_of(self, said):
        return [name for name in said.get("of_set", ()) if self.package_set is not None and self.package_set.get(sets.split(name)[0])]

    def _look(self, is_with_set):
        name = self._name(is_with_set)
        said = places.look(self.job["state"], name)
        return (self._names_of(said), (os.path.join(self.job["state"], name), said)) if said else None

    def _place(self, is_with_set):
        if not self.job.get("upload"):
            walls.enter(self.cache, self.job["state"], *self.job.get("more_folders", ()))
        folder, said = places.make(self.job["state"], self._name(is_with_set), lambda new: self._fill(new, is_with_set))
        return self._names_of(said), (folder, said)

    # ---- what is asked for ----

    def _visible(self, is_with_set):
        """Of the set, what counts as installed: all but what a requirement refuses."""
        if not is_with_set:
            return []
        return [one for name, one in self.package_set.packages.items() if name not in self.choice.pinned_away]

    def _lines(self):
        ready_names = {one.name for one in self.there}
        return [w.as_line() for w in self.asked.wanted if w.name not in ready_names]

    def _constraints(self, visible):
        own = [w.as_line() for w in self.asked.constraints if not w.requirement.extras]
        taken = {w.name for w in self.asked.constraints} | {w.name for w in self.asked.wanted if w.requirement.url}
        return own + [f"{one.name}=={one.version}" for one in [*self.there, *visible] if one.name not in taken]

    def _name(self, is_with_set):
        """By all that the outcome depends on."""
        visible = self._visible(is_with_set)
        files = [[path, os.stat(path).st_size, os.stat(path).st_mtime_ns] for path in self.asked.files if path.endswith(".whl")]
        return hash_of(json.dumps([
            FORMAT, sys.version, sysconfig.get_platform(), self._lines(), self._constraints(visible), self.sources.lines(), files,
            self.package_set.folder if visible else "", self.has_hashes]))

    # ---- making ----

    def _fill(self, new, is_with_set):
        from . import explain
        tool = installer.Tool(self.asked.network)
        reasons = list(dict.fromkeys(reason for _, reason in self.choice.unmet if reason))
        names = explain.Explainer(self.asked, self.choice, self.package_set, self.sources, tool.name).names()
        because = f" ({'; '.join(reasons[:3])})" if reasons and is_with_set else ""
        report.progress(f"Installing {names} from {self.sources.shown()} with {tool.name}{because} ...")
        venv = os.path.join(new, "venv")
        site = installer.make_venv(venv, tool.python)
        visible = self._visible(is_with_set)
        pretended = [installer.pretend(site, one.name, one.version, ready.metadata(one.info)) for one in self.there]
        pretended += [installer.pretend(site, one.name, one.version, needs.as_metadata(one)) for one in visible]
        self._install(tool, new, venv, visible, is_with_set)
        return self._finish(new, site, pretended, visible, is_with_set)

    def _install(self, tool, new, venv, visible, is_with_set):
        files = []
        for name, lines in (("requirements.txt", [*self.sources.lines(), *self._lines()]), ("constraints.txt", self._constraints(visible))):
            files.append(os.path.join(new, name))
            with open(os.open(files[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as f:
                f.writelines(line + "\n" for line in lines)
        scratch = os.path.join(venv, "tmp")
        os.mkdir(scratch)
        command = tool.command(venv, *files, self.cache, self.sources, self.has_hashes)
        from . import explain
        try:
            installer.run(tool, command, scratch, installer.Watcher(self.job["limit_bytes"]))
        except installer.Refused as e:
            failure = explain.Explainer(self.asked, self.choice, self.package_set, self.sources, tool.name).explain(e.output)
            if is_with_set and explain.is_conflict(e.output):
                raise _Conflict(failure) from None
            raise failure from None

    def _finish(self, new, site, pretended, visible, is_with_set):
        """Keep what was installed: metadata says what, and what of the set it needs."""
        for folder in pretended:
            shutil.rmtree(folder)
        packages = os.path.join(new, "packages")
        os.rename(site, packages)
        shutil.rmtree(os.path.join(new, "venv"))
        for name in ("requirements.txt", "constraints.txt"):
            os.unlink(os.path.join(new, name))
        installed = ready.find(packages)
        sizes = {name: _size_of(packages, one) for name, one in installed.items()}
        total = sum(sizes.values())
        if total > self.job["limit_bytes"]:
            raise installer.too_large(total, sizes, self.job["limit_bytes"])
        from . import trees
        report.progress(f"Compiling {len(installed)} package{'s' * (len(installed) != 1)} ({total / (1 << 20):.1f} MiB) ...")
        trees.compile_all(packages, os.path.join(self.job["state"], self._name(is_with_set), "packages"))
        return {"format": FORMAT, "bytes": total, "of_set": self._of_set(installed, {one.name for one in visible}),
                "packages": [{"name": one.name, "version": one.version, "source": self.sources.shown()} for one in installed.values()]}

    def _of_set(self, installed, visible):
        """Which distributions of the set the worker needs: those asked for, and what the installed ones need."""
        names = [name for name in self.choice.names if sets.split(name)[0] in visible] if visible else []
        extras = {w.name: set(w.requirement.extras) for w in self.asked.wanted}
        names += [f"{w.name}[{','.join(sorted(w.requirement.extras))}]" if w.requirement.extras else w.name
                  for w in self.asked.wanted if w.name in visible and w.name not in installed]
        for one in installed.values():
            for line in one.requires:
                need = needs.parse(line)
                if need is None or not any(needs.holds(need.marker, e) for e in ("", *extras.get(one.name, ()))):
                    continue
                if sets.normalize(need.name) in visible:
                    names.append(sets.normalize(need.name) + (f"[{','.join(sorted(need.extras))}]" if need.extras else ""))
        return list(dict.fromkeys(names))


def _size_of(packages, one):
    """Bytes of the files that RECORD names."""
    total = 0
    for path in ready.record(one.info):
        try:
            total += os.lstat(os.path.join(packages, path)).st_size
        except OSError:
            pass
    return total
