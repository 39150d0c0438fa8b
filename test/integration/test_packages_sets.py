"""Package sets: what the default one is made of, and that nobody ever sees half of one."""
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import tomllib

import pytest

from harness import BIN, PACKAGES, ROOT, run_packager, until

sys.path.append(str(ROOT / "sdk" / "python"))
from corral.sets import PackageSet       # noqa: E402
import packager       # noqa: E402
from packager import debian, debian_list, homes, report, trees       # noqa: E402

WANTED = ("fastapi starlette pydantic httpx aiohttp requests jinja2 beautifulsoup4 pyyaml numpy packaging django flask pygments "
          "pillow").split()


@pytest.fixture(scope="module")
def default():
    """The set that all tests use."""
    return PackageSet(PACKAGES / homes.default_name())


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What report says, as a function."""
    path = tmp_path / "said"
    with open(path, "wb") as f:
        monkeypatch.setattr(report, "_fd", f.fileno())
        yield lambda: [json.loads(line) for line in path.read_text().splitlines()]


class Debian:
    """A system that dpkg has installed, in a folder."""

    def __init__(self, root):
        self.root = root
        self.python = root / "usr/lib/python3/dist-packages"
        self.lists = root / "var/lib/dpkg/info"
        self.python.mkdir(parents=True)
        self.lists.mkdir(parents=True)
        (root / "var/lib/dpkg/status").write_text("")

    def install(self, package, version, files, depends="", arch="", status="install ok installed"):
        """files: {path below dist-packages: text}"""
        lines = ["/.", "/usr/lib/python3/dist-packages"]
        for path, text in files.items():
            target = self.python / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            lines.append(f"/usr/lib/python3/dist-packages/{path}")
        (self.lists / f"{package}{arch}.list").write_text("\n".join(lines) + "\n")
        with open(self.root / "var/lib/dpkg/status", "a") as f:
            f.write(f"Package: {package}\nStatus: {status}\nVersion: {version}\n" + (f"Depends: {depends}\n" if depends else "") + "\n")


def egg(name, version, requires=""):
    folder = f"{name}-{version}.egg-info"
    files = {f"{folder}/PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    return {**files, f"{folder}/requires.txt": requires} if requires else files


def dist(name, version, *lines):
    return {f"{name}-{version}.dist-info/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""])}


@pytest.fixture
def system(tmp_path, monkeypatch):
    monkeypatch.setattr(debian_list, "DISTRIBUTIONS", ("flask", "fastapi", "two-words", "twin", "single"))
    return Debian(tmp_path / "system")


def test_the_default_set_has_what_workers_want(default):
    assert [name for name in WANTED if default.get(name) is None] == []
    assert default.name == homes.default_name() and default.python == "%d.%d" % sys.version_info[:2]
    assert (default.since, default.until) == ("", "")
    for one in default.packages.values():
        folder = os.path.join(default.folder, f"{one.name}-{one.version}")
        assert one.folder == folder and os.path.isdir(folder), one
        assert one.source.startswith("debian:python3-") and one.hash == f"sha256:{trees.sha256_of(folder)}", one
        assert [need for need in one.dependencies if default.get(need.partition("[")[0]) is None] == [], one
        assert one.imports, one
    assert default.get("PyYAML").imports == ("_yaml", "yaml") and default.get("six").imports == ("six",)
    assert default.get("pillow").imports == ("PIL",) and default.get("beautifulsoup4").imports == ("bs4",)
    assert default.provider("PIL").name == "pillow" and default.provider("yaml").name == "pyyaml"
    assert default.provider("pytest") is None and default.get("pip") is None and default.get("pytest") is None
    assert "starlette" in default.get("fastapi").dependencies       # 0.26.1, though 0.92 asks for less than 0.26
    assert {"jinja2", "werkzeug", "click", "itsdangerous"} <= set(default.get("flask").dependencies)     # by Debian's Depends
    assert default.has_extra("Starlette", "full") and not default.has_extra("fastapi", "all")
    assert set(default.get("uvicorn").dependencies) >= {"click", "h11"}      # which people list, and nobody else needs
    assert "uvicorn" not in {one.name for one in default.closure(["fastapi", "starlette[full]"])}
    assert "orjson" in default.get("fastapi").lacks["all"] and "httpx" in default.get("fastapi").extras["all"]
    natives = [name for name in ("numpy", "pillow", "pyyaml", "markupsafe", "lxml")
               if not any(path.endswith(".so") for path in trees.files(default.get(name).folder))]
    assert natives == []


def test_a_closure_is_all_that_is_needed(default):
    names = [one.name for one in default.closure(["FastAPI"])]
    assert names[0] == "fastapi" and {"starlette", "pydantic", "typing-extensions", "anyio", "sniffio", "idna"} == set(names[1:])
    assert "jinja2" in [one.name for one in default.closure(["starlette[full]"])]
    assert "jinja2" not in [one.name for one in default.closure(["starlette", "nonesuch", "six[nonesuch]"])]
    assert len(default.closure(["flask", "Flask", "flask[async]"])) == len(set(default.closure(["flask[async]"])))


def test_a_sets_folders_are_enough_to_import(default):
    """Nothing else on sys.path: no package of the system's."""
    program = ("import sys; sys.path[:] = [p for p in sys.path if 'packages' not in p] + sys.argv[1:]\n"
               "import fastapi, httpx, aiohttp, requests, jinja2, bs4, yaml, numpy, packaging, django, flask, pygments, PIL.Image\n"
               "import importlib.metadata as m; print(m.version('fastapi'), m.version('numpy'), fastapi.__file__, fastapi.__spec__.cached, sep='|')\n"
               "print({x.split('/')[-1] for n in sys.modules.values() for x in [getattr(n, '__file__', '') or ''] if 'dist-packages' in x})\n")
    folders = [one.folder for one in default.closure(WANTED)]
    done = subprocess.run(["/usr/bin/python3", "-SIB", "-c", program, *folders], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    fast, num, file, cached = done.stdout.splitlines()[0].split('|')
    assert (fast, num) == (default.get("fastapi").version, default.get("numpy").version)
    assert file.startswith(default.folder) and os.path.exists(cached)
    assert done.stdout.splitlines()[1] == "set()"
    with open(cached, "rb") as f:
        assert int.from_bytes(f.read(8)[4:], "little") == 0b01          # by hash, and not checked
    code = importlib.util.cache_from_source(file)
    assert default.folder.encode() in open(code, "rb").read()           # as tracebacks will name it


def test_the_lock_file_is_pylocks(default):
    with open(os.path.join(default.folder, "pylock.toml"), "rb") as f:
        lock = tomllib.load(f)
    assert lock["lock-version"] == "1.0" and lock["created-by"] == "corral" and lock["requires-python"].startswith("==3.")
    assert [one["name"] for one in lock["packages"]] == sorted(default.packages)
    fastapi = next(one for one in lock["packages"] if one["name"] == "fastapi")
    assert {"name": "starlette"} in fastapi["dependencies"] and fastapi["directory"] == {"path": f"fastapi-{fastapi['version']}"}
    assert fastapi["tool"]["corral"] == {"source": default.get("fastapi").source, "sha256": default.get("fastapi").hash[7:]}


def test_what_is_there_is_left_alone(default):
    lines = run_packager({"job": "sync", "what": "debian", "home": str(PACKAGES)})
    assert [list(line) for line in lines] == [["done"]]
    assert lines[0]["done"] == {"set": default.name, "folder": default.folder, "packages": len(default.packages), "new": False}


def test_requirements_are_read_in_both_forms(system, tmp_path, said):
    system.install("python3-flask", "2.2-1", {**egg("Flask", "2.2", '\n[async]\nasgiref>=3\n\n[:python_version < "3"]\nold\n\n'
                                                    '[async:python_version < "3"]\nolder\n\n[dotenv]\npython-dotenv\n'),
                                              "flask/__init__.py": "x = 1\n"},
                   "python3-click (>= 8), python3:any (>= 3.9~), python3-importlib-metadata | python3 (>> 3.10), python3-pkg-resources")
    system.install("python3-click", "1:8.1-2", {**egg("click", "8.1"), "click.py": ""})
    system.install("python3-importlib-metadata", "4", {**egg("importlib-metadata", "4"), "importlib_metadata/__init__.py": ""})
    system.install("python3-pkg-resources", "4", {**egg("setuptools", "4"), "pkg_resources/__init__.py": ""})
    system.install("python3-asgiref", "3", {**egg("asgiref", "3"), "asgiref/__init__.py": ""})
    system.install("python3-fastapi", "0.92-1", {
        **dist("fastapi", "0.92", "Requires-Dist: starlette (<0.26)", "Requires-Dist: old; python_version<'3'", "Provides-Extra: all",
               "Requires-Dist: Click[x]; extra == 'all'", "Requires-Dist: ujson; extra == 'all'", "Requires-Dist: ###"),
        "fastapi/__init__.py": "def f(:\n", "fastapi/tests/__init__.py": "", "fastapi/x.tmpl": "hello"}, "python3-uvicorn, python3-asgiref")
    system.install("python3-starlette", "0.26.1-1", {**dist("starlette", "0.26.1"), "starlette/__init__.py": "",
                                                     "starlette/__pycache__/__init__.cpython-311.pyc": "old"})
    made, is_new = debian.make(str(tmp_path / "home"), str(system.root))
    assert is_new and set(made.packages) == {"flask", "click", "fastapi", "starlette"}
    flask, fastapi = made.get("flask"), made.get("fastapi")
    assert flask.dependencies == ("click",) and flask.source == "debian:python3-flask=2.2-1"
    assert flask.extras == {"async": (), "dotenv": ()} and flask.lacks == {"async": ("asgiref",), "dotenv": ("python-dotenv",)}
    assert fastapi.dependencies == ("starlette",) and fastapi.extras == {"all": ("click[x]",)} and fastapi.lacks == {"all": ("ujson",)}
    assert made.get("click").source == "debian:python3-click=1:8.1-2"
    assert trees.files(fastapi.folder) == ["fastapi-0.92.dist-info/METADATA", "fastapi/__init__.py", "fastapi/x.tmpl"]
    assert os.listdir(os.path.join(made.get("starlette").folder, "starlette", "__pycache__")) == ["__init__.cpython-311.pyc"]
    warning = said()[0]["warning"]
    assert "two-words, twin, single" in warning["text"] and "corral packages sync debian" in warning["hint"]
    assert "Copying 4 of Debian's" in said()[1]["progress"]


def test_every_shape_of_a_distribution(system, tmp_path, said):
    """One file, several distributions in one Debian package, two descriptions of one, what was removed, what is no file of dpkg's."""
    system.install("python3-single", "1-1", {"single-1.egg-info": "Metadata-Version: 1.1\nName: single\nVersion: 1\n", "single.py": ""},
                   arch=":amd64")
    two = {**egg("Two_Words", "2"), "Two_Words-2.egg-info/top_level.txt": "words\n_words\n", "words/__init__.py": "",
           "_words.cpython-311-x86_64-linux-gnu.so": "", **dist("twin", "3"), "twin-3.dist-info/RECORD": "twins/__init__.py,,\n",
           "twins/__init__.py": "", "twins/data.txt": "", "twin.egg-info/PKG-INFO": "Name: twin\nVersion: 2\n", "words-nspkg.pth": "import x\n"}
    system.install("python3-two", "2-1", two)
    system.install("python3-flask", "2-1", {**egg("flask", "2"), "flask/__init__.py": ""}, status="deinstall ok config-files")
    for path, text in egg("fastapi", "9").items():          # by pip, not by dpkg
        (system.python / path).parent.mkdir(exist_ok=True)
        (system.python / path).write_text(text)
    (system.python / "words" / "link.py").symlink_to("__init__.py")
    with open(system.lists / "python3-two.list", "a") as f:
        f.write("/usr/lib/python3/dist-packages/words/link.py\n/usr/lib/python3/dist-packages/words/gone.py\n")
    made, _ = debian.make(str(tmp_path / "home"), str(system.root))
    assert set(made.packages) == {"single", "two-words", "twin"}
    assert made.get("single").imports == ("single",) and os.path.isfile(os.path.join(made.get("single").folder, "single-1.egg-info"))
    assert made.get("two.words").imports == ("_words", "words") and made.get("twin").imports == ("twins",)
    assert made.get("twin").version == "3" and trees.files(made.get("twin").folder) == [
        "twin-3.dist-info/METADATA", "twin-3.dist-info/RECORD", "twins/__init__.py", "twins/data.txt"]
    link = os.path.join(made.get("two-words").folder, "words", "link.py")
    assert os.path.isfile(link) and not os.path.islink(link)
    assert not any(path.endswith(".pth") for path in trees.files(made.get("two-words").folder))


def test_an_upgraded_package_makes_the_set_anew(system, tmp_path, said):
    home = str(tmp_path / "home")
    system.install("python3-single", "1-1", {**egg("single", "1"), "single.py": "x = 1\n"})
    first, is_new = debian.make(home, str(system.root))
    before = os.stat(home).st_mtime_ns
    assert is_new and not debian.make(home, str(system.root))[1] and debian.ensure(home, "/nowhere").recipe == first.recipe
    assert os.stat(home).st_mtime_ns == before, "packagers are asked anew when their home has changed"
    with open(os.path.join(first.get("single").folder, "single.py")) as held:
        (system.root / "var/lib/dpkg/status").write_text("")
        system.install("python3-single", "1-1+deb12u1", {**egg("single", "1"), "single.py": "x = 2\n"})
        second, is_new = debian.make(home, str(system.root))
        assert is_new and second.get("single").source.endswith("deb12u1") and second.get("single").hash != first.get("single").hash
        assert held.read() == "x = 1\n" and open(os.path.join(second.get("single").folder, "single.py")).read() == "x = 2\n"
    assert sorted(os.listdir(home)) == [f".{second.name}.lock", second.name]


def test_rubbish_of_other_sets_is_swept(system, tmp_path, said):
    """What nobody makes any more; not what somebody is making."""
    home = tmp_path / "home"
    for name in (".gone.making", ".gone.making.old", ".busy.making"):
        (home / name / "half").mkdir(parents=True)
    system.install("python3-single", "1-1", {**egg("single", "1"), "single.py": ""})
    with trees.locked(str(home / ".busy.lock")):
        made, _ = debian.make(str(home), str(system.root))
    assert sorted(os.listdir(home)) == sorted([".busy.lock", ".busy.making", ".gone.lock", f".{made.name}.lock", made.name])


def test_what_cannot_be_made_says_why(system, tmp_path, said):
    with pytest.raises(report.Failure) as e:
        debian.make(str(tmp_path / "home"), str(system.root))
    assert "none of Debian's Python packages is installed" in e.value.text and "script/dev" in e.value.hint
    with pytest.raises(report.Failure) as e:
        debian.make(str(tmp_path / "home"), str(tmp_path / "nowhere"))
    assert "no " + str(tmp_path / "nowhere/var/lib/dpkg/info") in e.value.text and "corral packages sync DATE" in e.value.hint
    assert [name for name in os.listdir(tmp_path / "home") if not name.endswith(".lock")] == []
    (tmp_path / "file").write_text("")
    with pytest.raises(report.Failure) as e:
        debian.make(str(tmp_path / "file"), str(system.root))
    assert f"packages cannot be kept in {tmp_path / 'file'}: " in e.value.text and "CORRAL_PACKAGES" in e.value.hint


def test_bytecode_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    """In whichever process."""
    for i in range(200):
        (tmp_path / f"m{i}.py").write_text("x = 1\n")
    (tmp_path / "bad.py").write_text("x = (\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert trees.compile_all(str(tmp_path), "/somewhere") == 201
    assert len(os.listdir(tmp_path / "__pycache__")) == 200
    shutil.rmtree(tmp_path / "__pycache__")
    (tmp_path / "__pycache__").write_text("in the way")
    with pytest.raises(OSError):
        trees.compile_all(str(tmp_path), "/somewhere")
    ours = os.getpid()              # and now only in the others
    really = trees._compile
    monkeypatch.setattr(trees, "_compile", lambda *all_: really(*all_) if os.getpid() != ours else None)
    with pytest.raises(OSError) as e:
        trees.compile_all(str(tmp_path), "/somewhere")
    assert e.value.filename == str(tmp_path)


def test_a_kill_leaves_nothing_that_is_taken(tmp_path):
    """Killed at whatever point of the making: the next one makes all of it."""
    home, name = tmp_path / "home", homes.default_name()
    job = json.dumps({"job": "sync", "what": "debian", "home": str(home)}).encode()
    process = subprocess.Popen([str(BIN / "corral-worker"), "packages"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(job)
    process.stdin.close()
    until("half of it is there", lambda: (home / f".{name}.making" / "aiohttp-3.8.4").is_dir() or list(home.glob(".*.making/[d-z]*")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert homes.sets(str(home)) == [] and not (home / name).exists() and (home / f".{name}.making").is_dir()
    assert homes.for_date(homes.sets(str(home)), "2024-03-29") is None
    with pytest.MonkeyPatch.context() as patch:         # made again, of little, so that it is quick
        patch.setattr(debian_list, "DISTRIBUTIONS", ("six", "jinja2"))
        with open(os.devnull, "wb") as f:
            patch.setattr(report, "_fd", f.fileno())
            made = []
            threads = [threading.Thread(target=lambda: made.append(debian.make(str(home)))) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert sorted(is_new for _, is_new in made) == [False, False, True]        # three at once: one makes it, all have it
    assert all(set(one.packages) == {"six", "jinja2", "markupsafe"} for one, _ in made)
    assert sorted(os.listdir(home)) == [f".{name}.lock", name]


def test_a_date_chooses_its_set(tmp_path):
    def write(name, since, until_, python=homes.PYTHON):
        (tmp_path / name).mkdir()
        about = {"name": name, "since": since, "until": until_, "python": python, "packages": {}}
        (tmp_path / name / "packages.json").write_text(json.dumps(about))

    write(homes.default_name(), "", "")
    write("early", "", "2025-09-28")
    write("late", "2025-01-01", "2025-12-31")
    write("future", "2020-01-01", "2030-01-01", python="3.99")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "packages.json").write_text('{"name": "broken", "packages": []}')
    (tmp_path / "empty").mkdir()
    shutil.copytree(tmp_path / "early", tmp_path / ".hidden.making")
    found = homes.sets(str(tmp_path))
    assert [one.name for one in found] == sorted([homes.default_name(), "early", "late"])
    assert [homes.for_date(found, date).name for date in ("2024-03-29", "2025-09-28", "2025-12-31", "2026-01-01", "")] == [
        "early", "late", "late", homes.default_name(), homes.default_name()]


def test_a_worker_sees_nothing_of_our_own_reading(lab):
    """Versions and requirements are read with Debian's `packaging`, under a name that is no worker's."""
    assert lab.value("""
        from corral.packaging.requirements import Requirement
        from corral.packaging import tags
        from corral.sets import normalize
        one = Requirement("Foo_Bar[x]>=1.2; python_version >= '3'")
        return [normalize(one.name), str(one.specifier), one.marker.evaluate(), str(next(tags.sys_tags()))[:4],
                [name for name in sys.modules if name.partition(".")[0] in ("packaging", "packager")]]
    """) == ["foo-bar", ">=1.2", True, ("cp%d%d" % sys.version_info[:2])[:4], []]


def test_without_packaging_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(os.path, "isfile", lambda path: False)
    with pytest.raises(ImportError) as e:
        exec((ROOT / "sdk/python/corral/packaging.py").read_text(), {"__name__": "x"})
    assert "is not in /usr/lib/python3/dist-packages/packaging: install Debian's python3-packaging" in str(e.value)
    failure = packager._unforeseen(e.value)
    assert failure.hint == "apt install python3-packaging" and failure.detail == ""
