"""needs.py - what distributions need, as a package set writes it down: markers evaluated, and what it does not have told apart."""
from corral.packaging.markers import default_environment
from corral.packaging.requirements import Requirement
from corral.sets import normalize


def parse(text):
    """A Requirement, or None: what makes no sense is not needed."""
    try:
        return Requirement(text)
    except (ValueError, RecursionError):        # also what packaging has not thought of, such as numbers of many digits
        return None


def holds(marker, extra=""):
    """Whether a marker, or none, is true on this machine. One that compares what cannot be compared is not."""
    try:
        return marker is None or marker.evaluate({**default_environment(), "extra": extra})
    except (ValueError, RecursionError):
        return False


def of_metadata(requires, provides):
    """([Requirement] needed always, {extra: [Requirement]}) of lines Requires-Dist and names Provides-Extra."""
    base, extras = [], {normalize(extra): [] for extra in provides}
    for requirement in filter(None, map(parse, requires)):
        if holds(requirement.marker):
            base.append(requirement)
            continue
        for extra in provides:
            if holds(requirement.marker, extra):
                extras[normalize(extra)].append(requirement)
    return base, extras


def within(requirements, names):
    """(what of it is among these names, with the extras that are asked of it; names of the rest): both as packages.json has them."""
    have, lack = set(), set()
    for requirement in requirements:
        name = normalize(requirement.name)
        extras = ",".join(sorted(map(normalize, requirement.extras)))
        if name in names:
            have.add(f"{name}[{extras}]" if extras else name)
        else:
            lack.add(name)
    return sorted(have), sorted(lack)


def extras_within(extras, names):
    """({extra: needs among these names}, {extra: names of the rest, where there is one})"""
    have, lacks = {}, {}
    for extra, requirements in sorted(extras.items()):
        have[extra], lack = within(requirements, names)
        if lack:
            lacks[extra] = lack
    return have, lacks


def as_metadata(distribution):
    """The text of METADATA of a set's distribution: with what it needs by the word of the set, whatever its own metadata asks for.
    What the set lacks for an extra is named, too, so that it can be installed beside."""
    lines = ["Metadata-Version: 2.1", f"Name: {distribution.name}", f"Version: {distribution.version}"]
    lines += [f"Requires-Dist: {need}" for need in distribution.dependencies]
    for extra, found in distribution.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {need}; extra == '{extra}'" for need in (*found, *distribution.lacks.get(extra, ()))]
    return "\n".join([*lines, "", ""])
