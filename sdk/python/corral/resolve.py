"""resolve.py - from requirements to versions that fit together.

Pure Python without `js`.  A Provider says which versions of a project there are and what each requires; Resolution chooses, by
corral/solver.py, the most preferred ones such that everything that is required is met, or says who wants what.

What counts, as pip has it: markers of this interpreter; extras; a yanked version only when one asks for it by == and there is no
other; a pre-release only when asked for (pre, or a specifier that names one) or when there is nothing else; Requires-Python.
Only then: a version that a provider prefers (an installed one, one of a package set) before those of an index.
"""
import asyncio
import time
from dataclasses import dataclass, field

from corral.packaging import markers, requirements as _requirements, specifiers, utils, version as versions

from .solver import Solver, Unsolvable

PROJECTS_MAX = 2000         # projects of one resolution
TEXT_MAX = 16 << 10         # characters of a requirement
REQUIRES_MAX = 2000         # requirements of one version
TRIES_MAX = 2000            # versions whose requirements are looked up
LINES_MAX = 12              # of a conflict that are told
TURN_S = 0.02               # so long others wait for a search


class ResolveError(ValueError):
    """Nothing fits; the text says who wants what."""


class MissingError(ResolveError):
    """There is no wheel for a requirement: `requirements`, as they were written; `details` one line each, or ""."""

    def __init__(self, requirements, details):
        super().__init__("no wheel for " + ", ".join(requirements))
        self.requirements, self.details = requirements, details


@dataclass(eq=False, slots=True)
class Candidate:
    """One version of one project that can be installed.

    source: for people, where it comes from ("installed", the address of an index); data: the provider's own;
    is_fixed: it is there already, so that nothing needs to be looked up for it, but what its extras require.
    """
    project: str
    version: versions.Version
    source: str = ""
    data: object = None
    yanked: bool | str = False
    is_fixed: bool = False

    def __str__(self):
        return f"{self.project} {self.version}"


@dataclass(slots=True)
class Found:
    """What a provider knows of a project.

    candidates: the preferred ones first; is_all: there are no more to be had by asking again with is_narrow=False.
    refused: {version: why it cannot be installed}, of versions that exist; missing: why there is none at all, for people.
    """
    candidates: list = field(default_factory=list)
    is_all: bool = True
    refused: dict = field(default_factory=dict)
    missing: str = ""


class Provider:
    """Where versions come from: to be derived from.  Its methods are called at once for many projects, each time once more."""

    async def find(self, project, is_narrow):
        """Found of a normalized name.  is_narrow: the preferred ones are enough, when that saves work."""
        raise NotImplementedError

    async def at(self, url, requirement):
        """The Candidate at an address; requirement: the Requirement that names it, or None when it was the address alone."""
        raise NotImplementedError

    async def requires(self, candidate):
        """Its Requires-Dist, a list of strings."""
        raise NotImplementedError

    def extras(self, candidate):
        """Names of the extras of one whose requirements were asked for, or None when that is not known."""
        return None


def parse(text):
    """Requirement of a string.  Raises ResolveError in the user's words."""
    if len(text) > TEXT_MAX:
        raise ResolveError(f"a requirement of {len(text)} characters: at most {TEXT_MAX}")
    try:
        requirement = _requirements.Requirement(text)
        if not all(one.version for one in requirement.specifier):
            raise ValueError("an operator without a version")
        return requirement
    except (ValueError, RecursionError) as e:
        raise ResolveError(f"{text!r} is no requirement: {str(e).splitlines()[0] if str(e) else 'it is nested too deeply'}") from None


def applies(requirement, extras=()):
    """Is it required here, with these extras?"""
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({"extra": extra}) for extra in (extras or ("",)))
    except (markers.UndefinedEnvironmentName, markers.UndefinedComparison, ValueError, RecursionError):
        return False


def _names_pre(specifier):
    """pip's: a specifier whose version is a pre-release asks for such."""
    try:
        return bool(specifier.prereleases)
    except ValueError:      # === and what is no version
        return False


def _is_pin(specifier):
    return any(one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*")) for one in specifier)


def _key(project, extra=""):
    return (project, utils.canonicalize_name(extra) if extra else "")


class _Project:
    """A project's versions, and which of them each requirement accepts."""

    def __init__(self, name, found, constraint):
        self.name, self.found = name, found
        self.candidates = [one for one in found.candidates if constraint is None or constraint.contains(one.version, prereleases=True)]
        self.constraint = constraint if len(self.candidates) < len(found.candidates) else None
        self.finals = self._mask(lambda one: not one.version.is_prerelease and not one.yanked)
        self.pres = self._mask(lambda one: one.version.is_prerelease and not one.yanked)
        self.yanked = self._mask(lambda one: one.yanked)
        self.fixed = self._mask(lambda one: one.is_fixed)
        self.wants_pre = self.wants_yanked = False
        self._accepted = {}

    def _mask(self, accepts):
        return sum(1 << i for i, one in enumerate(self.candidates, 1) if accepts(one))

    def accepted(self, specifier):
        """Candidates whose version the specifier contains, and notes what it says of pre-releases and yanked ones."""
        self.wants_pre = self.wants_pre or _names_pre(specifier)
        self.wants_yanked = self.wants_yanked or _is_pin(specifier)
        text = str(specifier)
        if text not in self._accepted:
            self._accepted[text] = self._mask(lambda one: specifier.contains(one.version, prereleases=True)) if text else self._mask(lambda _: True)
        return self._accepted[text]

    def eligible(self, wanted, pre):
        """Of the candidates that all requirements accept (wanted), those that pip would look at."""
        free = self.finals | self.fixed | (self.pres if pre or self.wants_pre else 0)
        if wanted & free:
            return free
        if wanted & self.pres:
            return free | self.pres
        return free | (self.yanked if self.wants_yanked else 0)


class Resolution:
    """One question, answered once: `await Resolution(provider, ...).run(requirements)`.

    provider: Provider; constraints: strings, as `pip install -c` takes them; deps: look at what is required at all;
    pre: pre-releases are as good as others; keep_going: go on without what there is no wheel for, and tell of all at the end.
    """

    def __init__(self, provider, constraints=(), deps=True, pre=False, keep_going=False):
        self.provider, self.deps, self.pre, self.keep_going = provider, deps, pre, keep_going
        self.wide = set()           # projects of which the preferred versions were not enough
        self.addresses = {}         # project -> (address, who wants it)
        self.at = {}                # address -> Candidate
        self.found = {}             # (project, is_narrow) -> Found
        self.required = {}          # Candidate -> [Requirement]
        self.missing = {}           # requirement as written -> details
        self.hopeless = None        # the MissingError that was seen first, should nothing be found
        self.since = time.monotonic()
        self.unknown_extras = []    # one line each, for people: no error, as with pip
        self._set_constraints(constraints)

    def _set_constraints(self, constraints):
        self.constraints, self.constrained_to = {}, {}
        for text in constraints:
            one = parse(text)
            if one.extras:
                raise ResolveError(f"the constraint {text!r} has extras, and constraints have none")
            if not applies(one):
                continue
            name = utils.canonicalize_name(one.name)
            if one.url:
                self.constrained_to[name] = one
            else:
                self.constraints[name] = self.constraints.get(name, specifiers.SpecifierSet()) & one.specifier

    async def run(self, requirements):
        """requirements: Requirements.  Answers {project: Candidate} of what is needed, what is required before what requires it.

        Raises MissingError, ResolveError, and what the provider raises.
        """
        requirements = [one for one in requirements if applies(one)]
        while True:
            try:
                chosen = await self._try(requirements)
            except _Again:
                continue
            except Unsolvable as e:
                if self._widen(e):
                    continue
                raise self._explain(e) from None
            if self.missing:
                raise MissingError(list(self.missing), list(self.missing.values()))
            return chosen

    def _widen(self, e):
        """Take all versions of those projects whose preferred ones do not fit."""
        names = {name for cause in e.causes for name, _ in cause.terms}
        more = {name for name in names if name not in self.wide and (found := self.found.get((name, True))) and not found.is_all}
        self.wide |= more
        return bool(more)

    # ---- one attempt ----

    async def _try(self, requirements):
        self.projects = {}
        self.missing = {}
        solver = self.solver = Solver()
        await self._load(requirements)
        for one in requirements:
            self._require(None, 0, one, str(one))
        while True:
            while not solver.propagate():
                await self._breathe()
            await self._breathe()
            open_ = solver.undecided()
            if not open_:
                return self._result()
            await self._look_ahead(open_)
            key = min(open_, key=lambda key: (solver.allowed(key).bit_count(), solver.order(key)))
            project = self.projects[key[0]]
            allowed = solver.allowed(key)
            bits = allowed & project.eligible(self._wanted(key), self.pre)
            if not bits:
                solver.forbid({key: allowed}, ("unfit", key[0]))
                continue
            bit = self._preferred(project, bits)
            await self._add_requirements(key, bit)
            solver.decide(key, 1 << bit)

    async def _breathe(self):
        """Let others run, in a search that takes long."""
        if time.monotonic() - self.since > TURN_S:
            await asyncio.sleep(0)
            self.since = time.monotonic()

    @staticmethod
    def _preferred(project, bits):
        """A provider's list has the preferred first."""
        return (bits & -bits).bit_length() - 1

    def _wanted(self, key):
        """Candidates that all who are chosen, or were asked for, accept."""
        wanted = -1
        for parent, bits, mask in self.solver.wishes(key):
            if parent is None or self.solver.allowed(parent) == bits:
                wanted &= mask
        return wanted & ~1

    async def _look_ahead(self, keys):
        """Ask for the requirements of all likely ones at once."""
        if self.deps:
            likely = [self.projects[key[0]].candidates[self._preferred(self.projects[key[0]], bits) - 1] for key in keys
                      if (bits := self.solver.allowed(key) & self.projects[key[0]].eligible(self._wanted(key), self.pre))]
            await gather(self._requires(one) for one in dict.fromkeys(likely) if not one.is_fixed)

    async def _requires(self, candidate):
        """Requirements of a version, parsed."""
        known = self.required.get(candidate)
        if known is None:
            if len(self.required) >= TRIES_MAX:
                raise ResolveError(f"no versions that fit together were found among {TRIES_MAX}: ask for versions of your own, or use constraints")
            texts = await self.provider.requires(candidate)
            if len(texts) > REQUIRES_MAX:
                raise ResolveError(f"{candidate} has more than {REQUIRES_MAX} requirements")
            known = []
            for text in texts:
                try:
                    known.append(parse(text))
                except ResolveError as e:
                    raise ResolveError(f"{candidate}: {e}") from None
            self.required[candidate] = known
        return known

    async def _load(self, requirements):
        """Know the versions of all projects that these name."""
        urls = {}
        for one in requirements:
            name = utils.canonicalize_name(one.name)
            if one.url:
                known = self.addresses.get(name)
                if known is not None and known[0] != one.url:
                    raise ResolveError(f"{one.name} is wanted from two addresses: {known[0]} and {one.url}")
                if known is None:
                    self.addresses[name] = (one.url, one)
                    if name in self.projects:
                        raise _Again
            elif name in self.constrained_to and name not in self.addresses:
                self.addresses[name] = (self.constrained_to[name].url, self.constrained_to[name])
            urls[name] = None
        new = [name for name in urls if name not in self.projects]
        if len(self.projects) + len(new) > PROJECTS_MAX:
            raise ResolveError(f"more than {PROJECTS_MAX} projects are required")
        for name, found in zip(new, await gather(self._find(name) for name in new)):
            self.projects[name] = _Project(name, found, self.constraints.get(name))

    async def _find(self, name):
        if name in self.addresses:
            url, requirement = self.addresses[name]
            if url not in self.at:
                self.at[url] = await self.provider.at(url, requirement)
            return Found([self.at[url]])
        for key in ((name, False), (name, True)):
            if key in self.found and (key[1] is False or name not in self.wide):
                return self.found[key]
        is_narrow = name not in self.wide
        found = self.found[name, is_narrow] = await self.provider.find(name, is_narrow)
        return found

    async def _add_requirements(self, key, bit):
        """What version `bit` of this requires; an extra requires its project in the same version."""
        name, extra = key
        candidate = self.projects[name].candidates[bit - 1]
        if not self.solver.is_new(key, bit):
            return
        if extra:
            self.solver.require(key, 1 << bit, (name, ""), 1 << bit, len(self.projects[name].candidates), None)
        if not self.deps or (candidate.is_fixed and not extra):
            return
        all_ = await self._requires(candidate)
        wanted = [one for one in all_ if applies(one, (extra,))]
        if extra:
            self._note_extra(candidate, extra)
            wanted = [one for one in wanted if not applies(one)]
        try:
            await self._load(wanted)
        except (OSError, ValueError) as e:      # the provider's
            if not getattr(e, "__notes__", ()):
                e.add_note(f"({candidate} requires it)")
            raise
        for one in wanted:
            self._require(key, bit, one, str(one))

    def _note_extra(self, candidate, extra):
        known = self.provider.extras(candidate)
        text = f"{candidate} has no extra '{extra}'"
        if known is not None and text not in self.unknown_extras and extra not in map(utils.canonicalize_name, known):
            self.unknown_extras.append(text)

    def _require(self, parent, bit, one, text):
        """parent, in version `bit`, or the user, when it is None, requires this."""
        name = utils.canonicalize_name(one.name)
        project = self.projects[name]
        mask = project.accepted(one.specifier)
        if not mask and not project.found.is_all:
            self.wide.add(name)
            raise _Again
        bits = 1 << bit if parent else 0
        if not mask and self.keep_going and self._is_hopeless(project, one):
            self.missing.setdefault(_without_marker(one), self._why_missing(project, one, parent, bit))
            return
        if not project.found.candidates:        # an older version of what requires it would hardly be what was meant
            raise MissingError([_without_marker(one)], [self._why_missing(project, one, parent, bit)])
        if not mask and self.hopeless is None and self._is_hopeless(project, one):
            self.hopeless = MissingError([_without_marker(one)], [self._why_missing(project, one, parent, bit)])
        for extra in sorted(one.extras) or [""]:
            self.solver.require(parent, bits, _key(name, extra), mask, len(project.candidates), (one, text))

    def _result(self):
        """What was chosen, in an order in which what is required comes first, as far as there is one."""
        chosen = {name: self.projects[name].candidates[bit - 1] for (name, _), bit in self.solver.decided().items()}
        order, state = {}, {}
        for first in chosen:
            stack = [first]
            while stack:
                name = stack[-1]
                if state.get(name) is None:
                    state[name] = "open"
                    stack += [to for to in self.solver.required_by(name) if to in chosen and to not in state]
                else:
                    stack.pop()
                    if state[name] == "open":
                        state[name] = "done"
                        order[name] = chosen[name]
        return order

    # ---- words ----

    def _why_missing(self, project, requirement, parent, bit):
        """What there is of a project instead of what was asked for, and what requires it: one line, or ""."""
        why = why_missing(project.name, project.found, requirement, self.constraints.get(project.name))
        who = f"{self.projects[parent[0]].candidates[bit - 1]} requires it" if parent else ""
        return "; ".join(filter(None, (why, who)))

    def _explain(self, e):
        """The error of a resolution that fails: who wants what, or that there is no wheel."""
        if not e.causes:
            return self.hopeless or ResolveError("no versions that fit together were found in a long search: ask for versions of your own, or use constraints")
        wishes, said = [], set()
        for cause in e.causes:
            if cause.kind == "wish" and cause.note is not None:
                one, text = cause.note
                project = self.projects[utils.canonicalize_name(one.name)]
                if not cause.mask and self._is_hopeless(project, one):
                    return MissingError([_without_marker(one)], [self._why_missing(project, one, cause.parent, cause.bits.bit_length() - 1)])
                wishes.append((cause.parent, cause.bits, one))
        lines = []
        by_wish = {}
        for parent, bits, one in wishes:
            by_wish.setdefault((parent[0] if parent else None, _without_marker(one)), []).append(bits)
        for (name, text), bits in by_wish.items():
            line = f"you asked for {text}" if name is None else f"{self._versions(name, bits)} require{'s' if len(bits) == 1 else ''} {text}"
            if line not in said:
                said.add(line)
                lines.append(line)
        for name in dict.fromkeys(utils.canonicalize_name(one.name) for _, _, one in wishes):
            project = self.projects[name]
            lines += [f"{one} is installed" if one.is_fixed else f"{one} is the one at {self.addresses[name][0]}"
                      for one in project.candidates if one.is_fixed or name in self.addresses]
            if project.constraint is not None:
                lines.append(f"a constraint allows {name}{project.constraint} alone")
        more = len(lines) - LINES_MAX
        if more > 0:
            lines = lines[:LINES_MAX] + [f"and {more} more"]
        return ResolveError("These requirements do not fit together:\n" + "\n".join(f"  {line}" for line in lines))

    def _is_hopeless(self, project, requirement):
        """Is there no version at all that meets it, constraints or not?  Not when one is there, or was chosen by its address."""
        is_chosen = project.name in self.addresses or any(one.is_fixed for one in project.found.candidates)
        return not is_chosen and not any(requirement.specifier.contains(one.version, prereleases=True) for one in project.found.candidates)

    def _versions(self, name, bits):
        candidates = self.projects[name].candidates
        found = sorted({candidates[bit.bit_length() - 2].version for bit in bits})
        return f"{name} {found[0]}" if len(found) == 1 else f"{name} {found[0]} to {found[-1]}"


def why_missing(name, found, requirement, constraint=None):
    """What a provider Found of a project, where it has nothing for `requirement`: one line for people, or ""."""
    fits = [(version, why) for version, why in found.refused.items() if requirement.specifier.contains(version, prereleases=True)]
    if fits:
        version, why = max(fits)
        return f"{name} {version} is there, but {why}"
    if constraint is not None and any(requirement.specifier.contains(one.version, prereleases=True) for one in found.candidates):
        return f"a constraint allows {name}{constraint} alone"
    if found.candidates:
        newest = sorted({one.version for one in found.candidates})[-5:]
        return f"there is {name} {', '.join(map(str, newest))}" + (" and older ones" if len(found.candidates) > 5 else "")
    if found.refused:
        return f"there is {name} {max(found.refused)}, but {found.refused[max(found.refused)]}"
    return found.missing


def _without_marker(requirement):
    """As it was written, without its marker."""
    marker, requirement.marker = requirement.marker, None
    try:
        return str(requirement)
    finally:
        requirement.marker = marker


class _Again(Exception):
    """Something was learned that changes what was already decided: from the beginning."""


async def gather(coroutines):
    """Their answers; when one fails, the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
