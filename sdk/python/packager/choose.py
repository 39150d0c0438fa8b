"""choose.py - which of the requirements are met by python_modules/ and by the package set."""
from corral import sets

from . import needs
from .asked import PLATFORM


class Choice:
    """names: of the set's distributions that are taken, "name" or "name[extra]". unmet: of Wanted, with why, in words: (wanted, reason).
    is_pinned_away: names of the set whose version a requirement refuses."""

    def __init__(self):
        self.names, self.unmet, self.pinned_away = [], [], set()

    @property
    def is_whole(self):
        return not self.unmet


def choose(asked, ready, package_set):
    """Meet every requirement by what is there."""
    choice = Choice()
    bounds = {}
    for one in asked.constraints:
        bounds.setdefault(one.name, []).append(one)
    for wanted in asked.wanted:
        _meet(wanted, [wanted, *bounds.get(wanted.name, ())], asked, ready, package_set, choice)
    _check_constraints(bounds, asked, package_set, choice)
    return choice


def _meet(wanted, bounds, asked, ready, package_set, choice):
    there = ready.get(wanted.name)
    if there is not None and not there.is_foreign:
        if all(b.is_met_by(there.version, True) for b in bounds if not b.requirement.url and not b.hashes):
            _meet_below(there, wanted, ready, package_set, choice, {wanted.name})
            return
        raise asked.mistake(
            f"{wanted.as_line().partition(' --hash')[0]} is asked for, and python_modules/ has {wanted.requirement.name} {there.version}, which goes first",
            "delete it from python_modules/, or ask for that version", wanted.file, wanted.line)
    if wanted.hashes or wanted.requirement.url:
        choice.unmet.append((wanted, ""))
        return
    if package_set is None:
        choice.unmet.append((wanted, ""))
        return
    found = package_set.get(wanted.name)
    if found is None:
        choice.unmet.append((wanted, f"the package set {package_set.name} has no {wanted.requirement.name}"))
    elif not all(b.is_met_by(found.version, True) for b in bounds):
        choice.pinned_away.add(found.name)
        choice.unmet.append((wanted, f"the package set {package_set.name} has {wanted.requirement.name} {found.version}"))
    else:
        missing = sorted(e for e in wanted.requirement.extras if not package_set.has_extra(found.name, e))
        if missing:
            choice.unmet.append((wanted, f"the package set {package_set.name} cannot give {wanted.requirement.name}[{','.join(missing)}]"))
        else:
            extras = f"[{','.join(sorted(wanted.requirement.extras))}]" if wanted.requirement.extras else ""
            choice.names.append(found.name + extras)


def _meet_below(there, wanted, ready, package_set, choice, seen):
    """What a distribution of python_modules/ needs may come from the set; what neither has is not missed: it worked without."""
    for line in there.requires:
        need = needs.parse(line)
        if need is None or not any(needs.holds(need.marker, e) for e in ("", *wanted.requirement.extras)):
            continue
        name = sets.normalize(need.name)
        if name in seen or name in PLATFORM:
            continue
        seen.add(name)
        below = ready.get(name)
        if below is not None and not below.is_foreign:
            _meet_below(below, wanted, ready, package_set, choice, seen)
        elif package_set is not None and package_set.get(name) is not None:
            choice.names.append(name)


def _check_constraints(bounds, asked, package_set, choice):
    """The set's dependencies must keep to -c, too."""
    if package_set is None:
        return
    for distribution in package_set.closure(choice.names):
        for bound in bounds.get(distribution.name, ()):
            if not bound.is_met_by(distribution.version, True):
                choice.pinned_away.add(distribution.name)
                choice.unmet.append((bound, f"the package set {package_set.name} has {distribution.name} {distribution.version}"))
