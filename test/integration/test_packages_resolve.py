"""Versions are chosen from requirements: sdk/python/corral/resolve.py and solver.py, as plain Python."""
import asyncio
import itertools
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk/python"))
from corral import resolve, solver                      # noqa: E402
from corral.packaging import version as versions        # noqa: E402


class Shelf(resolve.Provider):
    """{"name": {"1.0": [requirements]}}; a version "1.0!" is yanked, "1.0 +" is in the set, "1.0 =" is installed, "1.0 -" has no wheel."""

    def __init__(self, projects, addresses=None):
        self.projects, self.addresses, self.asked = projects, addresses or {}, []

    async def find(self, project, is_narrow):
        await asyncio.sleep(0)
        self.asked.append(project)
        found = resolve.Found(missing=f"no index has {project}")
        for text, requires in self.projects.get(project, {}).items():
            number, _, mark = text.partition(" ")
            yanked, number = number.endswith("!"), versions.Version(number.rstrip("!"))
            one = resolve.Candidate(project, number, mark or "index", requires, yanked, mark == "=")
            if mark == "-":
                found.refused[number] = "as a source distribution only"
            else:
                found.candidates.append(one)
        marks = {"=": 2, "+": 1}
        found.candidates.sort(key=lambda one: (marks.get(one.source, 0), one.version), reverse=True)
        if any(one.is_fixed for one in found.candidates):
            found.candidates = found.candidates[:1]
        elif is_narrow and any(one.source == "+" for one in found.candidates):
            found.is_all = False
            found.candidates = [one for one in found.candidates if one.source == "+"]
        return found

    async def at(self, url, requirement):
        name, number, requires = self.addresses[url]
        return resolve.Candidate(name, versions.Version(number), url, requires)

    async def requires(self, candidate):
        await asyncio.sleep(0)
        return candidate.data

    def extras(self, candidate):
        return [line.partition("extra == ")[2].strip("'\"") for line in candidate.data if "extra ==" in line]


def run(projects, *wanted, addresses=None, **how):
    shelf = projects if isinstance(projects, Shelf) else Shelf(projects, addresses)
    resolution = resolve.Resolution(shelf, **how)
    chosen = asyncio.run(resolution.run([resolve.parse(one) for one in wanted]))
    return {name: str(one.version) for name, one in chosen.items()}


def fails(projects, *wanted, error=resolve.ResolveError, **how):
    with pytest.raises(error) as e:
        run(projects, *wanted, **how)
    return e.value if error is resolve.MissingError else str(e.value)


def test_the_newest_that_fits():
    a = {"a": {"1.0": [], "1.10": [], "1.9": []}}
    assert run(a, "a") == {"a": "1.10"}
    assert run(a, "A", "a<1.10") == {"a": "1.9"}
    assert run(a, "a==1.0") == {"a": "1.0"}
    assert run(a, "a~=1.9,!=1.10") == {"a": "1.9"}
    assert run(a, "a; python_version < '3'") == {}
    assert run(a, "a; python_version > '3' and sys_platform == 'linux'") == {"a": "1.10"}
    assert run(a, "a>=1", constraints=["a<1.5", "b==7", "a>2; sys_platform == 'win32'"]) == {"a": "1.0"}


def test_what_is_required_comes_first():
    tree = {"app": {"1": ["web>=2", "tools; python_version>'2'", "nothing; extra == 'x'"]}, "web": {"1": [], "2": ["base"], "3": ["base<2"]},
            "tools": {"5": ["base"]}, "base": {"1": [], "2": []}}
    chosen = run(tree, "app")
    assert chosen == {"app": "1", "web": "3", "tools": "5", "base": "1"}
    order = list(chosen)
    assert order.index("base") < order.index("web") < order.index("app")
    assert run(tree, "app", deps=False) == {"app": "1"}


def test_goes_back_to_older_versions():
    tree = {"a": {"3": ["c>=3"], "2": ["c>=2"], "1": ["c"]}, "b": {"2": ["c<3"], "1": []}, "c": {"1": [], "2": [], "3": []}}
    assert run(tree, "a", "b") in ({"c": "2", "a": "2", "b": "2"}, {"c": "3", "a": "3", "b": "1"})
    assert run(tree, "a", "b==2") == {"c": "2", "a": "2", "b": "2"}
    assert run(tree, "a", "b==2", "c==1") == {"c": "1", "a": "1", "b": "2"}
    hard = {"root": {str(i): [f"x=={i}", f"y=={i}"] for i in range(1, 60)}, "x": {str(i): ["z<5"] for i in range(1, 60)},
            "y": {str(i): [f"z=={i}"] for i in range(1, 60)}, "z": {str(i): [] for i in range(1, 60)}}
    assert run(hard, "root")["z"] == "4"


def test_cycles():
    tree = {"a": {"1": ["b"]}, "b": {"1": ["c"]}, "c": {"1": ["a==1"]}, "self": {"1": ["self", "self[x]"], "2": ["self<2"]}}
    assert set(run(tree, "a")) == {"a", "b", "c"}
    assert run(tree, "self") == {"self": "1"}


def test_extras():
    tree = {"a": {"2": ["b; extra == 'fast_io'", "c<2; extra == 'all'", "a[fast-io]; extra == 'all'"], "1": []}, "b": {"1": []}, "c": {"1": [], "2": []}}
    assert run(tree, "a") == {"a": "2"}
    assert run(tree, "a[Fast.IO]") == {"a": "2", "b": "1"}
    assert run(tree, "a[all]", "c") == {"a": "2", "b": "1", "c": "1"}
    assert run(tree, "a[fast-io,all]<2") == {"a": "1"}
    resolution = resolve.Resolution(Shelf(tree))
    asyncio.run(resolution.run([resolve.parse("a[none]")]))
    assert resolution.unknown_extras == ["a 2 has no extra 'none'"]
    installed = {"a": {"1 =": ["b; extra=='x'", "gone"]}, "b": {"1": []}}
    assert run(installed, "a") == {"a": "1"}
    assert run(installed, "a[x]") == {"a": "1", "b": "1"}


def test_pre_releases():
    a = {"a": {"1.0": [], "2.0rc1": [], "2.0.dev3": []}, "only": {"1b1": [], "1b2": []}, "b": {"1": ["a>=2.0rc1"]}}
    assert run(a, "a") == {"a": "1.0"}
    assert run(a, "a", pre=True) == {"a": "2.0rc1"}
    assert run(a, "a>=2.0.dev1") == {"a": "2.0rc1"}
    assert run(a, "a>1.0") == {"a": "2.0rc1"}           # nothing else is there
    assert run(a, "only") == {"only": "1b2"}
    assert run(a, "a", "b") == {"a": "2.0rc1", "b": "1"}
    assert run(a, "a==2.0.dev3") == {"a": "2.0.dev3"}


def test_a_pre_release_is_no_way_out():
    tree = {"a": {"1": ["b"], "2": ["b", "c>=2"]}, "b": {"1": ["c<2"], "2rc1": []}, "c": {"1": [], "2": []}}
    assert run(tree, "a") == {"a": "1", "b": "1", "c": "1"}


def test_yanked():
    a = {"a": {"1": [], "2!": []}, "b": {"1!": []}}
    assert run(a, "a") == {"a": "1"}
    assert run(a, "a==2") == {"a": "2"}
    assert run(a, "b==1") == {"b": "1"}
    assert run(a, "b==1", "b>0") == {"b": "1"}
    fails(a, "a>1")
    fails(a, "b")
    fails(a, "a==2.*")


def test_preferred_ones_first():
    tree = {"a": {"1 +": ["b"], "2": []}, "b": {"1 +": [], "2": []}, "c": {"1 =": ["never"], "2": []}, "d": {"1": ["b>=2"]}}
    assert run(tree, "a") == {"a": "1", "b": "1"}
    assert run(tree, "a==2") == {"a": "2"}
    assert run(tree, "a", "b>1") == {"a": "1", "b": "2"}
    assert run(tree, "a", "d") == {"a": "1", "b": "2", "d": "1"}
    assert run(tree, "c") == {"c": "1"}
    assert "c 1 is installed" in fails(tree, "c>1")
    shelf = Shelf(tree)
    run(shelf, "a", "c")
    assert sorted(shelf.asked) == ["a", "b", "c"]
    tight = {"a": {"1 +": ["b<2"], "2": ["b"]}, "b": {"1 +": [], "2": []}}
    assert run(tight, "a", "b>=2") == {"a": "2", "b": "2"}


def test_addresses():
    tree = {"a": {"1": ["b"], "2": []}, "b": {"1": [], "5": []}, "c": {"1": ["b @ http://x/b3.whl"]}, "d": {"1": ["b<2"]}}
    at = {"http://x/b3.whl": ("b", "3", ["a==1"]), "http://y/b4.whl": ("b", "4", [])}
    how = {"addresses": at}
    assert run(tree, "b @ http://x/b3.whl", **how) == {"b": "3", "a": "1"}
    assert run(tree, "b", "b @ http://x/b3.whl", "b>2", **how) == {"b": "3", "a": "1"}
    assert run(tree, "b", "c", **how) == {"b": "3", "c": "1", "a": "1"}
    assert "two addresses: http://x/b3.whl and http://y/b4.whl" in fails(tree, "b @ http://x/b3.whl", "b @ http://y/b4.whl", **how)
    assert run(tree, "a==1", constraints=["b @ http://y/b4.whl"], **how) == {"a": "1", "b": "4"}
    assert run(tree, "a", constraints=["b @ http://y/b4.whl"], **how) == {"a": "2"}
    text = fails(tree, "d", "b @ http://y/b4.whl", **how)
    assert "d 1 requires b<2" in text and "b 4 is the one at http://y/b4.whl" in text


def test_says_who_wants_what():
    tree = {"fastapi": {"1": ["starlette<2", "pydantic"]}, "starlette": {"1": [], "2": []}, "pydantic": {"1": []},
            "app": {"1": ["starlette>=2"], "2": ["starlette>=2"]}}
    text = fails(tree, "fastapi", "app")
    assert text == ("These requirements do not fit together:\n  you asked for fastapi\n  fastapi 1 requires starlette<2\n"
                    "  you asked for app\n  app 1 to 2 require starlette>=2") or set(text.splitlines()) == {
        "These requirements do not fit together:", "  you asked for fastapi", "  fastapi 1 requires starlette<2", "  you asked for app",
        "  app 1 to 2 require starlette>=2"}
    assert "pydantic" not in text
    assert "a constraint allows starlette==1 alone" in fails(tree, "app", constraints=["starlette==1"])


def test_missing_wheels():
    tree = {"a": {"1": ["native==2", "gone>1"]}, "native": {"1": [], "2 -": [], "3 -": []}, "all-sdist": {"1 -": []}, "b": {"1": ["nothing"]}}
    e = fails(tree, "a", error=resolve.MissingError)
    assert e.requirements in (["native==2"], ["gone>1"])
    e = fails(tree, "a", "all_sdist", "b", error=resolve.MissingError, keep_going=True)
    assert e.requirements == ["all_sdist", "native==2", "gone>1", "nothing"]
    assert e.details == ["all-sdist 1 is there, but as a source distribution only",
                         "native 2 is there, but as a source distribution only; a 1 requires it", "no index has gone; a 1 requires it",
                         "no index has nothing; b 1 requires it"]
    assert fails(tree, "native==7", error=resolve.MissingError).details == ["there is native 1"]
    assert fails(tree, "native>1,<3", error=resolve.MissingError).details == ["native 2 is there, but as a source distribution only"]
    assert fails(tree, "Native.X [y]", error=resolve.MissingError).requirements == ["Native.X[y]"]
    assert run({"a": {"2": ["n>1"], "1": []}, "n": {"1": [], "2 -": []}}, "a") == {"a": "1"}


@pytest.mark.parametrize("text", ["", " ", "==1", "a b", "a==", "a[", "a; python", "a @", "a>=1;;", "-e .", "a" * 20000, "a; " + "(" * 5000, "\0", "a==1\n==2",
                                  "a==" + "1" * 5000, "a<2." + "1" * 5000])
def test_refuses_what_is_no_requirement(text):
    with pytest.raises(resolve.ResolveError) as e:
        resolve.parse(text)
    assert "requirement" in str(e.value) and len(str(e.value)) < 21000


def test_refuses_too_much(monkeypatch):
    many = {"a": {"1": ["b"] * 3000}}
    assert "more than 2000 requirements" in fails(many, "a")
    monkeypatch.setattr(resolve, "PROJECTS_MAX", 200)
    wide = {"a": {"1": [f"p{i}" for i in range(150)]}, **{f"p{i}": {"1": [f"q{i}"]} for i in range(150)}, **{f"q{i}": {"1": []} for i in range(150)}}
    assert "more than 200 projects" in fails(wide, "a")
    assert "has extras" in fails({}, "a", constraints=["a[x]==1"])
    bad = {"a": {"1": ["b ==="]}}
    assert "a 1: 'b ===' is no requirement" in fails(bad, "a")


def test_an_error_of_the_provider_ends_the_others():
    class Broken(Shelf):
        ended = 0

        async def find(self, project, is_narrow):
            if project == "bad":
                await asyncio.sleep(0)
                raise ResolveFailure
            try:
                await asyncio.sleep(3600)
            finally:
                Broken.ended += 1

    class ResolveFailure(Exception):
        pass

    with pytest.raises(ResolveFailure):
        run(Broken({}), "x", "bad", "y")
    assert Broken.ended == 2


def _brute(projects, roots):
    """Is there any solution?"""
    names = list(projects)
    for choice in itertools.product(*[[None, *projects[name]] for name in names]):
        chosen = dict(zip(names, choice))
        wanted = list(roots) + [line for name, one in chosen.items() if one for line in projects[name][one]]
        if all(chosen[r.name] is not None and r.specifier.contains(chosen[r.name]) for r in map(resolve.parse, wanted)):
            return True
    return False


def _holds(projects, roots, chosen):
    wanted = list(roots) + [line for name, one in chosen.items() for line in projects[name][one]]
    return all(r.name in chosen and r.specifier.contains(chosen[r.name]) for r in map(resolve.parse, wanted))


def test_random_problems():
    """Solved exactly when there is a solution, and the solution is one."""
    chance = random.Random(6)
    solved = 0
    for _ in range(250):
        names = [f"p{i}" for i in range(chance.randint(2, 5))]

        def line():
            return chance.choice(names) + chance.choice(["", "==1", "==2", "==3", "<3", ">1", "!=2", ">=3", "<2"])
        projects = {name: {str(v): [line() for _ in range(chance.choice([0, 0, 1, 2, 2]))] for v in range(1, chance.randint(2, 4))} for name in names}
        roots = [line() for _ in range(chance.randint(1, 3))]
        try:
            chosen = run(projects, *roots)
        except resolve.ResolveError as e:
            assert not _brute(projects, roots), (projects, roots, str(e))
            continue
        solved += 1
        assert _holds(projects, roots, chosen), (projects, roots, chosen)
    assert 60 < solved < 245


def test_gives_up(monkeypatch):
    """A search that would take for ever ends, and others run meanwhile."""
    monkeypatch.setattr(solver, "SECONDS_MAX", 0.3)
    holes, pigeons = 12, 13
    tree = {f"p{i}": {str(v): [f"x{v}=={i}"] for v in range(1, holes + 1)} for i in range(pigeons)}
    tree |= {f"x{v}": {str(i): [] for i in range(pigeons)} for v in range(1, holes + 1)}
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def search():
        other = asyncio.ensure_future(others())
        try:
            await resolve.Resolution(Shelf(tree)).run([resolve.parse(f"p{i}") for i in range(pigeons)])
        finally:
            other.cancel()

    with pytest.raises(resolve.ResolveError, match="long search"):
        asyncio.run(search())
    assert turns > 5
    chain = {f"a{i}": {str(v): [f"a{i + 1}<={v}"] for v in range(1, 6)} for i in range(300)} | {"a300": {str(v): ["z==9"] for v in range(1, 6)}, "z": {"1": []}}
    assert fails(chain, "a0", error=resolve.MissingError).requirements == ["z==9"]
