"""corral packages list, info, sync, lock: what a person types, and what they read."""
import json
import os
import resource
import subprocess
import sys
import tomllib

import pytest

from harness import BIN, PACKAGES, PATIENCE, ROOT, write_project
from package_index import PackageIndex, wheel

sys.path.append(str(ROOT / "sdk" / "python"))
from packager import homes       # noqa: E402


DEFAULT = homes.default_name()


class Shell:
    """home: of the sets; None: that of all tests."""

    def __init__(self, folder, home=None, env=None):
        self.folder = folder
        self.env = {**os.environ, **({"CORRAL_PACKAGES": str(home)} if home else {}), **(env or {})}
        self.out = self.err = None

    def __call__(self, *words, code=0, **more):
        done = subprocess.run([str(BIN / "corral"), "packages", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                              cwd=self.folder, env=self.env, text=True, timeout=60 * PATIENCE, **more)
        self.out, self.err = done.stdout, done.stderr
        assert done.returncode == code, (words, done)
        return self.out if code == 0 else self.err


@pytest.fixture
def packages(tmp_path):
    return Shell(tmp_path)


@pytest.fixture
def fresh(tmp_path):
    """A home with nothing in it."""
    return Shell(tmp_path, tmp_path / "home")


def rows(text):
    """What a table shows, row by row."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]


def test_says_what_there_is(packages):
    assert packages(code=2).startswith("Usage: corral packages COMMAND")
    usage = packages("--help")
    for name in ("list [SET]", "info NAME", "sync [WHAT]", "lock"):
        assert name in usage
        command = name.split()[0]
        assert packages(command, "--help").startswith(f"Usage: corral packages {name} [options]\n")
        assert "--json" in packages.out
        assert "Did you mean --json?" in packages(command, "--jason", code=2)
    assert "`corral dev` goes by requirements.txt" in packages("lock", "--help")
    assert packages("lst", code=2) == "corral: there is no command 'packages lst'\n  Did you mean `corral packages list`?\n"
    assert packages("info", code=2) == "corral: NAME is missing: corral packages info NAME\n"
    assert packages("info", "", code=2) == "corral: NAME must not be empty: corral packages info NAME\n"
    assert "'b' is too much" in packages("info", "a", "b", code=2)
    assert "'y' is too much" in packages("list", "x", "y", code=2)
    assert packages("sync", "--index-url", "a", "--index-url", "b", code=2) == (
        "corral: --index-url takes one value, and stands there twice\n")
    assert "--cwd '/nowhere': No such file" in packages("sync", "--cwd", "/nowhere", code=2)


def test_lists_sets_and_their_dates(packages, fresh):
    head, row = rows(packages("list"))
    assert head == ["name", "packages", "compatibility dates", "folder"]
    listed = json.loads(packages("list", "--json"))
    assert row == [DEFAULT, str(listed[0]["packages"]), "all", str(PACKAGES / DEFAULT)]
    assert listed[0]["default"] is True and listed[0]["since"] == listed[0]["until"] == "" and listed[0]["packages"] > 40
    inside = rows(packages("list", DEFAULT))
    assert inside[0] == ["name", "version", "source"] and len(inside) == listed[0]["packages"] + 1
    assert next(row[2] for row in inside if row[0] == "fastapi").startswith("debian:python3-fastapi=")
    told = json.loads(packages("list", "2026-01-01", "--json"))
    assert told["set"] == DEFAULT and {"yaml"} <= set(next(one["imports"] for one in told["packages"] if one["name"] == "pyyaml"))
    assert packages("list", "numpy", code=1) == (
        f"corral: there is no package set 'numpy'\n  there is {DEFAULT}; `corral packages info numpy` looks for a package\n")
    assert "corral packages sync debian" in fresh("list", "numpy", code=1)
    assert fresh("list") == "There are no package sets yet: `corral packages sync debian` makes the default one.\n"
    assert json.loads(fresh("list", "--json")) == []


def test_info_tells_of_a_package(packages, fresh):
    shown = dict(row for row in rows(packages("info", "FastAPI")) if row[0])
    assert (shown["name"], shown["set"], shown["imports"], shown["dependencies"]) == ("fastapi", DEFAULT, "fastapi", "pydantic, starlette")
    assert shown["source"] == f"debian:python3-fastapi={shown['source'].partition('=')[2]}" and "all" not in shown["extras"]
    told = json.loads(packages("info", "fastapi", "--json"))["found"][0]
    assert (shown["version"], shown["hash"], shown["folder"]) == (told["version"], told["hash"], told["folder"])
    assert "orjson" in told["lacks"]["all"]
    assert dict(row for row in rows(packages("info", "PIL")) if row[0])["name"] == "pillow"        # by a module that it has
    assert dict(row for row in rows(packages("info", "starlette")) if row[0])["extras"] == "full"
    assert packages("info", "fastapy", code=1) == "corral: no package set has a 'fastapy'\n  did you mean 'fastapi'?\n"
    assert packages("info", "xyzzy", code=1).endswith("  list xyzzy in requirements.txt, and it comes from the package index\n")
    assert fresh("info", "numpy", code=1).endswith("  there are no package sets yet: corral packages sync debian\n")


def test_sync_says_what_it_did(packages, tmp_path):
    assert packages("sync").startswith(f"The package set {DEFAULT} is up to date: ") and packages.err == ""
    assert packages("sync", "debian") == packages.out
    assert json.loads(packages("sync", "debian", "--json"))["new"] is False
    assert "there is no package set 'debain'" in packages("sync", "debain", code=1)
    (tmp_path / "file").write_text("")
    lost = Shell(tmp_path, tmp_path / "file")
    assert lost("sync", code=1).startswith(f"corral: packages cannot be kept in {tmp_path}/file: ")
    nobody = Shell(tmp_path, env={"CORRAL_PACKAGES": "", "XDG_DATA_HOME": "", "HOME": ""})
    assert nobody("list", code=1) == ("corral: nobody says where Python packages are kept\n"
                                      "  set CORRAL_PACKAGES or HOME to the absolute path of a folder\n")


def lock_of(shell, *words):
    shell("lock", *words)
    with open(shell.folder / "pylock.toml", "rb") as f:
        return {one["name"]: one for one in tomllib.load(f)["packages"]}


@pytest.mark.asan
def test_lock_writes_what_a_worker_gets(tmp_path):
    shell = Shell(tmp_path, env={"PIP_INDEX_URL": "", "PIP_FIND_LINKS": ""})
    files = {"requirements.txt": "jinja2\nfastapi\nfoo>=1\n", "pyproject.toml": '[project]\nname = "x"\ndependencies = ["six"]\n'}
    with PackageIndex() as index:
        foo = index.add(wheel("foo", "1.5", requires=["markupsafe", "bar"]), wheel("foo", "2.0", requires_python=">=3.99"))
        bar = index.add(wheel("bar", "3"))
        write_project(tmp_path, {"src/entry.py": "", **files})
        lock = lock_of(shell, "--index-url", index.url)
        assert shell.out == f"Wrote {tmp_path}/pylock.toml: 12 packages\n" and "Looking up the hashes of 2 packages ...\n" in shell.err
        assert set(lock) == {"bar", "foo", "jinja2", "markupsafe", "six", "fastapi", "starlette", "pydantic", "typing-extensions", "anyio", "idna", "sniffio"}
        assert "wheels" not in lock["starlette"]        # of the set, though its fastapi asks for an older one
        assert lock["foo"] == {"name": "foo", "version": "1.5", "dependencies": [{"name": "bar"}, {"name": "markupsafe"}], "index": index.url,
                               "wheels": [{"name": foo.filename, "url": index.file_url(foo), "size": len(foo.data), "hashes": {"sha256": foo.sha256}}]}
        assert lock["bar"]["wheels"][0]["hashes"] == {"sha256": bar.sha256}
        jinja2 = json.loads(shell("info", "jinja2", "--json"))["found"][0]
        assert lock["jinja2"]["version"] == jinja2["version"] and lock["jinja2"]["dependencies"] == [{"name": "markupsafe"}]
        assert lock["jinja2"]["tool"]["corral"] == {"source": jinja2["source"], "sha256": jinja2["hash"].removeprefix("sha256:")}
        # What is named by its address, and an index that the project names; the same again changes nothing.
        (tmp_path / "requirements.txt").write_text(f"--index-url {index.url}\nfoo @ {index.file_url(foo)}\n")
        lock = lock_of(shell, "--index-url", "http://127.0.0.1:1/")
        assert lock["foo"]["wheels"] == [{"name": foo.filename, "url": index.file_url(foo), "size": len(foo.data), "hashes": {"sha256": foo.sha256}}]
        before = (tmp_path / "pylock.toml").read_bytes()
        assert json.loads(shell("lock", "--json")) == {"file": f"{tmp_path}/pylock.toml", "packages": len(lock)}
        assert (tmp_path / "pylock.toml").read_bytes() == before
        # Gone from the index.
        (tmp_path / "requirements.txt").write_text(f"--index-url {index.url}\nbar\n")
        lock_of(shell)
        index.files.pop(bar.filename)
        assert f"bar 3 is installed, and {index.url} does not have it any more" in shell("lock", code=1)
        assert "bar" in (tmp_path / "pylock.toml").read_text()       # as it was
    assert sorted(name for name in os.listdir(tmp_path) if "pylock" in name) == ["pylock.toml"]


def test_lock_knows_files_and_folders_of_wheels(tmp_path):
    shell = Shell(tmp_path, env={"PIP_INDEX_URL": "", "PIP_FIND_LINKS": ""})
    local, shelved = wheel("local", "3"), wheel("shelved", "1")
    write_project(tmp_path, {"src/entry.py": "", f"w/{local.filename}": local.data, f"shelf/{shelved.filename}": shelved.data,
                             "requirements.txt": f"--no-index\n--find-links {tmp_path}/shelf\n./w/{local.filename}\nshelved\n"})
    lock = lock_of(shell)
    assert lock["local"]["wheels"] == [{"name": local.filename, "path": f"{tmp_path}/w/{local.filename}", "size": len(local.data),
                                        "hashes": {"sha256": local.sha256}}]
    assert lock["shelved"]["wheels"][0]["path"] == f"{tmp_path}/shelf/{shelved.filename}" and "index" not in lock["shelved"]
    fresh = Shell(tmp_path, tmp_path / "home")
    assert "Made the package set cloudflare-2024-03 of 2 packages" in fresh("sync", "2024-03-29", "--lock", "pylock.toml")


def test_a_full_disk_leaves_nothing(fresh):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    assert fresh("sync", code=1, preexec_fn=limit).startswith("Copying ")
    assert f"\ncorral: packages could not be prepared: File too large: '{fresh.folder}/home/" in fresh.err
    assert "  make room, or see who may write there; then try again\n" in fresh.err and "Traceback" not in fresh.err
    assert [name for name in os.listdir(fresh.folder / "home") if not name.endswith(".lock")] == []


def test_lock_says_what_it_cannot(packages, tmp_path):
    write_project(tmp_path, {"src/entry.py": ""})
    assert packages("lock", code=1).startswith(f"corral: there is nothing to lock: {tmp_path} has no requirements.txt and no ")
    (tmp_path / "requirements.txt").write_text("\nfastapi ==\n")
    assert "requirements.txt:2: " in packages("lock", code=1) and "Traceback" not in packages.err
    (tmp_path / "wrangler.toml").write_text("nonsense")
    assert "wrangler.toml:1:" in packages("lock", code=1)
    assert not (tmp_path / "pylock.toml").exists()
