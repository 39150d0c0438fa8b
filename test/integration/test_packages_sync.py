"""corral packages sync DATE: the packages of a compatibility date, from an index or by a lock file."""
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib

import pytest

from harness import PACKAGES, ROOT, WRANGLER, run_packager
from package_index import PackageIndex, sdist, wheel
from test_packages_cli import DEFAULT, Shell, rows

sys.path.append(str(ROOT / "sdk" / "python"))
from corral.sets import PackageSet       # noqa: E402
from packager import cloudflare_list, dated, fetch, pylock, report       # noqa: E402

ERA = cloudflare_list.of_date("2024-03-29")
TAG = "cp311-cp311-linux_x86_64" if os.uname().machine == "x86_64" else f"cp311-cp311-linux_{os.uname().machine}"
NEEDS = {
    "fastapi": {"requires": ["starlette<0.36", "pydantic>=1.7", "typing-extensions>=4.8"], "extras": {"all": ["httpx", "jinja2>=2", "orjson"]}},
    "pydantic": {"requires": ["annotated-types", "pydantic-core==2.16.2", "typing-extensions"]},
    "starlette": {"requires": ["anyio>=3.4,<5", "old; python_version<'3'"], "extras": {"full": ["httpx"]}},
    "httpx": {"requires": ["httpcore==1.*", "idna"], "extras": {"http2": ["h2"]}},
    "langchain": {"requires": ["langchain-core>=0.1.52", "community"]},
}


@functools.cache
def stock():
    """All that the list names, and what that needs."""
    found = [wheel("typing_extensions", "4.7"), wheel("typing_extensions", "4.9"), wheel("typing_extensions", "5.0", requires_python=">=3.99"),
             wheel("typing_extensions", "4.10rc1"), sdist("typing_extensions", "4.11"), wheel("typing_extensions", "4.12"),
             wheel("community", "0.1", requires=["langchain-core>=0.1.24,<0.2"]), wheel("community", "0.2", requires=["langchain-core>=0.1.52"])]
    found[5].upload_time = "2024-06-07T00:00:00Z"       # after the list
    for name, version in ERA.versions.items():
        module = name.replace("-", "_")
        files = {f"{module}/__init__.py": f"__version__ = {version!r}\n", f"{module}/data.txt": "data\n"}
        tag = TAG if name in ("numpy", "regex", "pydantic-core") else "py3-none-any"
        found += [wheel(name, version, files, tag=tag, **NEEDS.get(name, {})), wheel(name, "99.0", files)]
    return found


def shelf(index):
    index.add(*stock())


@pytest.fixture(scope="module")
def index():
    with PackageIndex() as one:
        shelf(one)
        yield one


@pytest.fixture
def shop(tmp_path):
    """An index of one's own, to be spoilt."""
    with PackageIndex() as one:
        shelf(one)
        yield one


@pytest.fixture
def fresh(tmp_path):
    return Shell(tmp_path, tmp_path / "home", {"PIP_DEFAULT_TIMEOUT": "", "PIP_INDEX_URL": "", "UV_DEFAULT_INDEX": "", "UV_INDEX_URL": ""})


def nothing_is_left(fresh):
    """No set, nor part of one."""
    home = fresh.folder / "home"
    assert [name for name in (os.listdir(home) if home.exists() else ()) if not name.endswith(".lock")] == []


def locked(path):
    with open(path, "rb") as f:
        return {one["name"]: one for one in tomllib.load(f)["packages"]}


def test_a_date_has_cloudflares_versions(fresh, index):
    said = fresh("sync", "2024-03-29", "--index-url", index.url)
    count = len(ERA.versions) + 2
    home = fresh.folder / "home"
    assert said == f"Made the package set {ERA.name} of {count} packages in {home / ERA.name}\n"
    assert f"Asking {index.url} for {len(ERA.versions)} packages ...\n" in fresh.err and "Downloaded fastapi-0.110.0-py3-none-any.whl (" in fresh.err
    made = PackageSet(home / ERA.name)
    assert {name: made.get(name).version for name in ERA.versions} == ERA.versions
    assert made.get("typing-extensions").version == "4.9"       # what they need: no pre-release, no other Python, no source, not of later
    assert made.get("community").version == "0.1"       # what fits the listed ones, which need not fit one another
    assert made.get("fastapi").dependencies == ("pydantic", "starlette", "typing-extensions")
    assert made.get("fastapi").lacks == {"all": ("jinja2", "orjson")} and made.has_extra("starlette", "full")
    assert made.get("pydantic-core").imports == ("pydantic_core",) and made.get("typing-extensions").imports == ("typing_extensions",)
    lock = locked(home / ERA.name / "pylock.toml")
    file = index.files["fastapi-0.110.0-py3-none-any.whl"]
    assert lock["fastapi"]["wheels"] == [{"name": file.filename, "url": index.file_url(file), "size": len(file.data), "hashes": {"sha256": file.sha256}}]
    assert lock["fastapi"]["index"] == index.url and made.get("fastapi").hash == "sha256:" + file.sha256
    program = ("import sys; sys.path += sys.argv[1:]\nimport importlib.metadata as m, fastapi, pydantic_core\n"
               "print(m.version('fastapi'), fastapi.__version__, fastapi.__spec__.cached)")
    done = subprocess.run(["/usr/bin/python3", "-SIB", "-c", program, *[one.folder for one in made.closure(["fastapi"])]],
                          capture_output=True, text=True, check=True).stdout.split()
    assert done[:2] == ["0.110.0", "0.110.0"] and os.path.exists(done[2])
    # Again: nothing is asked. Dates choose between it and the default one.
    before = len(index.requests)
    assert fresh("sync", "2025-09-28", "--index-url", index.url) == f"The package set {ERA.name} is up to date: {count} packages in {home / ERA.name}\n"
    assert len(index.requests) == before
    assert [row[:3] for row in rows(fresh("list"))[1:]] == [[ERA.name, str(count), "to 2025-09-28"]]
    assert dict(rows(fresh("info", "fastapi")))["source"] == index.file_url(file)
    # Its lock file makes the same set elsewhere, from any address that still has the files.
    other = Shell(fresh.folder, fresh.folder / "other", fresh.env | {"CORRAL_PACKAGES": str(fresh.folder / "other")})
    other("sync", "2024-01-01", "--lock", home / ERA.name / "pylock.toml")
    again = PackageSet(fresh.folder / "other" / ERA.name)
    assert {name: one.hash for name, one in again.packages.items()} == {name: one.hash for name, one in made.packages.items()}
    assert again.get("fastapi").dependencies == made.get("fastapi").dependencies


def test_html_and_a_login_will_do(fresh):
    with PackageIndex(formats=("html",), metadata=False, login=("anna", "p@ss")) as index:
        shelf(index)
        err = fresh("sync", "2024-03-29", "--index-url", index.url, code=1)
        assert f"the package index {index.url} wants a login (401)\n" in err
        url = index.url.replace("//", "//anna:p%40ss@")
        fresh("sync", "2024-03-29", "--index-url", url)
        assert "p%40ss" not in fresh.out + fresh.err
        with open(fresh.folder / "home" / ERA.name / "pylock.toml") as f:
            text = f.read()
        assert "p%40ss" not in text and "anna" not in text and index.url in text


def test_what_no_index_can_give(fresh, index):
    assert fresh("sync", "2025-09-29", code=1).startswith(
        "corral: Cloudflare has no packages built in for compatibility dates from 2025-09-29 on: ")
    assert "--lock pylock.toml" in fresh.err
    assert fresh("sync", "2024-13-01", code=1).startswith("corral: there is no package set '2024-13-01'\n  debian, or a compatibility date")
    assert "--index-url is for the packages of a date" in fresh("sync", "debian", "--index-url", index.url, code=1)
    assert "leave one of the two out" in fresh("sync", "2024-03-29", "--lock", "x", "--index-url", index.url, code=1)
    assert "'nonsense' is no address to get packages from" in fresh("sync", "2024-03-29", "--index-url", "nonsense", code=1)
    assert "file:///srv/simple/" in fresh("sync", "2024-03-29", "--index-url", "file:///srv/simple/", code=1)
    nothing_is_left(fresh)


def test_an_index_that_cannot_be_reached(fresh, shop):
    shop.close()
    with socket.socket() as nobody:     # has the port, so that nobody else gets it, and listens to nobody
        nobody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        nobody.bind(shop.server.server_address)
        err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    assert f"corral: the package index {shop.url} cannot be reached: Connection refused\n  is there a network? --index-url URL" in err
    err = fresh("sync", "2024-03-29", "--index-url", "http://index.invalid/simple/", code=1)
    assert "corral: the package index http://index.invalid/simple/ cannot be reached: " in err
    nothing_is_left(fresh)


def test_what_an_index_lacks_is_said_at_once(fresh, shop):
    for name in ("aiohttp-3.9.3-py3-none-any.whl", "numpy-1.26.4-" + TAG + ".whl", "six-1.16.0-py3-none-any.whl", "six-99.0-py3-none-any.whl",
                 "regex-2023.12.25-" + TAG + ".whl"):
        del shop.files[name]
    shop.add(wheel("numpy", "1.26.4", tag="cp311-cp311-win_amd64"), sdist("regex", "2023.12.25"))
    err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    line = next(line for line in err.splitlines() if line.startswith("corral: "))
    assert line == (f"corral: the package index {shop.url} does not have 4 of the {len(ERA.versions)} packages: aiohttp 3.9.3 (it has 99.0); "
                    "numpy 1.26.4 for this machine (it has for win_amd64); regex 2023.12.25 for this machine (it has its source); and 1 more")
    assert "six 1.16.0 (it does not know six)\n" in err and "--index-url URL; or list others: --lock pylock.toml" in err
    assert not shop.asked("/files/")
    shelf(shop)
    for name in list(shop.files):
        if name.startswith("typing_extensions"):
            del shop.files[name]
    err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    assert "does not have what they need: typing-extensions" in err
    nothing_is_left(fresh)


@pytest.mark.parametrize("key, fault, said", [
    ("six-1.16.0-py3-none-any.whl", "wrong-hash", " is not what it should be: its sha256 is "),
    ("six-1.16.0-py3-none-any.whl", "missing", "lists six-1.16.0-py3-none-any.whl and does not have it (404 for "),
    ("six-1.16.0-py3-none-any.whl", "error", " answered 500 for "),
    ("six-1.16.0-py3-none-any.whl", "cut", " cannot be reached: the connection ended too early"),
    ("six-1.16.0-py3-none-any.whl", "stall", " cannot be reached: it said nothing for 1 seconds"),
    ("six-1.16.0-py3-none-any.whl", "endless", " is larger than it may be: more than "),
    ("six-1.16.0-py3-none-any.whl", "redirect-file", ".metadata in a circle, or to what is no address of the web"),
    ("six", "endless", " is larger than it may be: more than "),
    ("six", "lies", " has for six "),
    ("six", "hang-up", " cannot be reached: the connection ended too early"),
    ("six", "redirect-loop", "/simple/six/ in a circle"),
])
def test_a_bad_index_gives_an_error_and_nothing_else(fresh, shop, key, fault, said):
    shop.faults[key] = fault
    fresh.env["PIP_DEFAULT_TIMEOUT"] = "1" if fault in ("slow", "stall") else ""
    err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    line = next(line for line in err.splitlines() if line.startswith("corral: "))
    assert said in line and "Traceback" not in err, err
    nothing_is_left(fresh)


def test_what_cannot_be_read_is_no_fault_of_ours():
    for address in ("http://" + "a" * 70 + "/simple/", "http://127.0.0.1:99999/", "http://a..b/"):
        with pytest.raises(report.Failure) as raised:
            fetch.Index(address).get(address)
        assert "cannot be reached" in raised.value.text
    with pytest.raises(report.Failure) as raised:
        fetch.Index("http://[::1/")
    assert "is no address" in raised.value.text
    assert dated._is_for_us(">=3." + "1" * 5000) and dated._is_for_us("what") and not dated._is_for_us(">=4")


def test_an_index_does_not_speak_to_the_terminal(fresh, shop):
    del shop.files["six-1.16.0-py3-none-any.whl"]
    evil = wheel("six", "1.16.0", tag="cp39-none-any")
    evil.filename = "six-1.16.0-cp39-none-\x1b[2J\u202e\x9b.whl"
    shop.add(evil)
    err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    assert "does not have six 1.16.0 (it has " in err
    assert report.shown("a\x1b[2J\u202eb\nc\td") == "a\ufffd[2J\ufffdb c d" and report.shown("a\n\tb\r", True) == "a\n\tb "
    assert [c for c in err if not c.isprintable() and c != "\n"] == []


def test_what_passes_is_tried_again(fresh, shop):
    shop.faults.update({"six": "busy", "idna-3.6-py3-none-any.whl": "busy", "h11": "redirect", "anyio-4.2.0-py3-none-any.whl": "redirect",
                        "attrs-23.2.0-py3-none-any.whl": "no-hash"})
    fresh("sync", "2024-03-29", "--index-url", shop.url)
    assert f"warning: the package index {shop.url} gives no sha256 of attrs-23.2.0-py3-none-any.whl" in fresh.err
    assert "attrs" in locked(fresh.folder / "home" / ERA.name / "pylock.toml")


def test_hostile_wheels_are_refused(fresh, shop):
    shop.add(wheel("six", "1.16.0", extra_members=[("../../evil.py", "x = 1\n")]))
    err = fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    assert "corral: six-1.16.0-py3-none-any.whl cannot be installed: " in err and "Traceback" not in err
    assert not list(fresh.folder.rglob("evil.py"))
    shop.add(wheel("six", "1.16.0", {"six.py": "x = 1\n"}, record="six.py,sha256=AAAA,6\n"))
    assert "corral: six-1.16.0-py3-none-any.whl cannot be installed: " in fresh("sync", "2024-03-29", "--index-url", shop.url, code=1)
    nothing_is_left(fresh)


def entry(one, url, **more):
    return {"name": one.name, "version": one.version, **more, "wheels": [{"url": url, "hashes": {"sha256": one.sha256}}]}


def write_lock(path, *packages):
    path.write_text(pylock.dumps(packages, ">=3.11"))
    return path


def test_a_lock_file_is_all_that_is_needed(fresh, index):
    foo, bar = index.add(wheel("foo", "1.0", requires=["bar>=2", "baz"])), index.add(wheel("Bar.Q", "1.5"))
    local = wheel("local", "3", {"local.py": ""})
    (fresh.folder / local.filename).write_bytes(local.data)
    path = write_lock(
        fresh.folder / "pylock.toml", entry(foo, index.file_url(foo)), entry(bar, index.file_url(bar) + "#x=y", marker="python_version > '3'"),
        {"name": "windows", "version": "1", "marker": "sys_platform == 'win32'", "wheels": [{"url": "http://x/windows-1-py3-none-any.whl",
                                                                                             "hashes": {"sha256": "0" * 64}}]},
        {"name": "local", "version": "3", "wheels": [{"path": local.filename, "hashes": {"sha256": local.sha256}}]})
    assert json.loads(fresh("sync", "2026-01-01", "--lock", "pylock.toml", "--json"))["packages"] == 3
    made = PackageSet(fresh.folder / "home" / "cloudflare-2025-09")
    assert (made.since, made.until) == ("2025-09-29", "") and set(made.packages) == {"foo", "bar-q", "local"}
    assert made.get("foo").dependencies == () and made.get("foo").lacks == {"": ("bar", "baz")}
    assert rows(fresh("list"))[1][2] == "from 2025-09-29 on"
    assert "is up to date" in fresh("sync", "2026-01-01", "--lock", path)
    write_lock(path, entry(foo, index.file_url(foo)))
    assert "Made the package set cloudflare-2025-09 of 1 packages" in fresh("sync", "2026-01-01", "--lock", path)


def test_a_lock_file_that_does_not_hold(fresh, index):
    foo = index.add(wheel("foo", "1.0"))
    url, path = index.file_url(foo), fresh.folder / "pylock.toml"
    good = entry(foo, url)
    cases = [
        ([{**good, "wheels": [{"url": url, "hashes": {"sha256": "0" * 64}}]}], f"foo-1.0-py3-none-any.whl is not what it should be: its sha256 is {foo.sha256}"),
        ([{**good, "wheels": [{"url": url, "hashes": {"md5": "0" * 32}}]}], "a wheel of foo has no sha256"),
        ([{**good, "wheels": []}], "foo has no wheel\n  source distributions are not built"),
        ([{**good, "version": "2.0"}], "foo 2.0 has the wheel foo-1.0-py3-none-any.whl, which is of something else"),
        ([{**good, "wheels": [{"url": url.replace("foo", "gone"), "hashes": {"sha256": "0" * 64}}], "name": "gone"}], "is not where "),
        ([{**good, "wheels": [{"path": "nowhere/foo-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}]}], "which cannot be read: No such file"),
        ([{**good, "wheels": [{"url": "http://x/foo-1.0-cp312-cp312-win32.whl", "hashes": {"sha256": "0" * 64}}]}], "no wheel of foo 1.0 for this machine"),
        ([{**good, "marker": "nonsense"}], "the marker of foo makes no sense: 'nonsense'"),
        ([good, good], "has foo twice for this machine"),
    ]
    for packages, said in cases:
        write_lock(path, *packages)
        job = {"job": "sync", "what": "2024-03-29", "home": str(fresh.folder / "home"), "lock": str(path)}
        error = run_packager(job)[-1]["error"]
        assert said in f"{error['text']}\n  {error['hint']}" and "Traceback" not in error["detail"], error
    for text, said in [("x = ", "this is not TOML: "), ('lock-version = "2.0"\n', "`lock-version` is '2.0'"), ("[packages]\n", "`lock-version` is None"),
                       ('lock-version = "1.0"\npackages = [1]\n', "`packages` is no list of tables"),
                       ('lock-version = "1.0"\n[[packages]]\nname = "a"\n', "a has no version"),
                       ('lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\nwheels = 3\n', "`wheels` of a is no list")]:
        path.write_text(text)
        with pytest.raises(report.Failure) as e:
            pylock.load(str(path))
        assert said in e.value.text
    assert "cannot be read: No such file or directory" in fresh("sync", "2024-03-29", "--lock", "nowhere.toml", code=1)
    nothing_is_left(fresh)


def test_pylock_reads_what_it_writes(tmp_path):
    package = {"name": "a", "version": "1", "marker": 'python_version > "3"', "wheels": [
        {"name": 'quo"te\n\x7f.whl', "url": "http://x/a?b=ä", "size": 5, "hashes": {"sha256": "a" * 64}}],
        "tool": {"source": "it's", "odd key": [1, True]}}
    path = write_lock(tmp_path / "pylock.toml", package)
    read = pylock.load(path)[0]
    assert read.pop("tool") == {"corral": package["tool"]}
    assert read == {key: value for key, value in package.items() if key != "tool"}
    path.write_text(path.read_text().replace("a" * 64, "xyz"))
    with pytest.raises(report.Failure):
        pylock.load(path)


def test_a_date_set_stands_beside_the_default_one(fresh, index, tmp_path):
    """For workers of its dates; others keep the default one."""
    both = Shell(tmp_path, tmp_path / "both", fresh.env | {"CORRAL_PACKAGES": str(tmp_path / "both")})
    os.makedirs(tmp_path / "both")
    (tmp_path / "both" / DEFAULT).mkdir()
    about = {"name": DEFAULT, "python": "%d.%d" % sys.version_info[:2], "packages": {}}
    (tmp_path / "both" / DEFAULT / "packages.json").write_text(json.dumps(about))
    both("sync", "2024-03-29", "--index-url", index.url)
    assert [row[0:3:2] for row in rows(both("list"))[1:]] == [[ERA.name, "to 2025-09-28"], [DEFAULT, "all others"]]


def test_workers_get_the_set_of_their_date(fresh, index, corral):
    """One home, two dates, two versions of one package."""
    home = fresh.folder / "home"
    fresh("sync", "2024-03-29", "--index-url", index.url)
    shutil.copytree(PACKAGES / DEFAULT, home / DEFAULT, symlinks=True)      # a link would lead out of what workers see
    entry_py = """
        import six
        from js import Response

        def on_fetch(request, env):
            return Response.new(six.__version__ + " " + six.__file__)
    """
    for date, version, name in (("2024-03-29", "1.16.0", ERA.name), ("2025-10-01", "1.16.0", DEFAULT)):
        config = WRANGLER.format(name="dated").replace("2024-03-29", date)
        one = corral({"src/entry.py": entry_py, "wrangler.toml": config, "requirements.txt": "six\n"}, env=fresh.env)
        assert one.get().text.startswith(f"{version} {home / name}/six-"), one.log_text()
    one = corral({"src/entry.py": entry_py, "requirements.txt": "requests\n"}, env=fresh.env, ready=False)
    one.wait_log("No module named 'six'|'six', which was not found")
    one.wait_log("requirements.txt")
