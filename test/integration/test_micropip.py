"""micropip installs packages while a worker runs, from indexes good and bad."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import threading
from pathlib import Path

import pytest
import wheelwright
from harness import lab_code, until
from package_index import PackageIndex, sdist, wheel


FAQ = "https://pyodide.org/en/stable/usage/faq.html#why-can-t-micropip-find-a-pure-python-wheel-for-a-package"
HINT = "You can use `await micropip.install(..., keep_going=True)` to get a list of all packages with missing wheels."


@pytest.fixture(scope="module")
def index():
    with PackageIndex() as one:
        one.add(
            wheel("soup", "4.12.3", {"soup/__init__.py": "import sieve\nname = 'soup'\n", "soup/data/words.txt": "broth"}, requires=["sieve>1.2"],
                  extras={"lxml": ["lexer"]}, entry_points="[soup.plugins]\nstock = soup:name\n"),
            wheel("soup", "4.11.0"), wheel("soup", "5.0rc1"),
            wheel("sieve", "2.5", {"sieve.py": "mesh = 1\n"}), wheel("sieve", "1.0"), wheel("lexer", "1.0"), wheel("lexer", "9.0", requires_python=">=3.99"))
        one.add(sdist("old-source", "1.0"), wheel("needs-source", "1.0", requires=["old-source", "only-windows>=2", "nowhere-at-all"]),
                wheel("only-windows", "2.2.2", tag="cp311-cp311-win_amd64"), sdist("only-windows", "2.2.2"),
                wheel("marked", "1.0", requires=["never; sys_platform == 'win32'", "sieve; python_version >= '3'"]),
                wheel("cycle-a", "1.0", requires=["cycle-b"]), wheel("cycle-b", "1.0", requires=["cycle-a"]),
                wheel("wants-old", "1.0", requires=["sieve<2"]), wheel("wants-new", "1.0", requires=["sieve>=2"]))
        for number in range(20):
            one.add(wheel(f"fresh{number}", "1.0", {f"fresh{number}.py": f"x = {number}\n"}))
        one.add(wheel("changes", "1.0", {"changes.py": "v = 1\n", "old_only.py": ""}), wheel("changes", "2.0", {"changes.py": "v = 2\n"}))
        yield one


@pytest.fixture
def run(lab, index):
    """run(code): its value in the lab; the indexes are that of this module.  Errors are {"error", "text", "notes"}."""
    def run(code, **more):
        head = f"import micropip\nINDEX = {index.url!r}\nmicropip.set_index_urls(INDEX)\n"
        body = "\n".join("    " + line for line in code.strip("\n").splitlines())
        whole = (f"{head}async def inner():\n{body}\ntry:\n    value = await inner()\nexcept Exception as e:\n"
                 "    value = {'error': type(e).__name__, 'text': str(e), 'notes': getattr(e, '__notes__', []), 'is': [c.__name__ for c in type(e).__mro__]}\n"
                 "return value")
        answer = lab.get(headers={"x-code": lab_code(whole), "x-mode": "json"})
        said = json.loads(answer.text)
        assert "value" in said, said
        return said["value"]
    return run


def test_installs_with_what_is_needed(run, index):
    got = run("""
import importlib.metadata, importlib.resources, sys
await micropip.install("soup")
import soup
points = [(p.name, p.value) for p in importlib.metadata.entry_points(group="soup.plugins")]
answer = [soup.name, soup.sieve.mesh, importlib.metadata.version("soup"), points, importlib.resources.files("soup").joinpath("data/words.txt").read_text(),
          repr(micropip.list()), "SOUP" in micropip.list(), micropip.list()["soup"].source, soup.__file__,
          importlib.metadata.distribution("soup").read_text("INSTALLER"), importlib.metadata.requires("soup"),
          sorted(map(str, importlib.metadata.files("sieve")))]
before = list(sys.modules)
await micropip.install(["soup", "sieve>=2", "soup==4.12.3"])     # nothing to do, and nothing is asked
return answer
""")
    assert got[:3] == ["soup", 1, "4.12.3"] and got[3] == [["stock", "soup:name"]] and got[4] == "broth"
    assert got[5] == "Name  | Version | Source\n----- | ------- | ------\nsieve | 2.5     | pypi\nsoup  | 4.12.3  | pypi"
    assert got[6:10] == [True, "pypi", "/session/site-packages/soup/__init__.py", "micropip\n"]
    assert got[10][0] == "sieve>1.2"
    assert {"sieve.py", "sieve-2.5.dist-info/RECORD", "sieve-2.5.dist-info/PYODIDE_URL"} <= set(got[11])
    assert len(index.asked("/simple/soup")) == 1 and len(index.asked("/files/soup-4.12.3-py3-none-any.whl")) <= 2


@pytest.mark.parametrize("requirement, version", [("soup<4.12", "4.11.0"), ("soup>=4", "4.12.3"), ("Soup == 4.11.0", "4.11.0"), ("soup>=5.0rc1", "5.0rc1"),
                                                  ("lexer", "1.0")])
def test_versions(run, requirement, version):
    name = re.match(r"\w+", requirement)[0].lower()
    assert run(f"""
micropip.uninstall([{name!r}, "sieve"])
await micropip.install({requirement!r})
return micropip.list()[{name!r}].version
""") == version


def test_options(run):
    got = run("""
import importlib.metadata
def have():
    return sorted(micropip.list())
def clean():
    micropip.uninstall(have())
answers = []
clean()
await micropip.install("soup", deps=False); answers.append(have()); clean()
await micropip.install("soup[lxml]"); answers.append(have()); clean()
await micropip.install("soup", pre=True); answers.append(micropip.list()["soup"].version); clean()
await micropip.install("soup", constraints=["soup<4.12", "soup[x]==1", "nonsense ===", "lexer==1"]); answers.append(micropip.list()["soup"].version); clean()
micropip.set_constraints(["soup<4.12"])
await micropip.install("soup"); answers.append(micropip.list()["soup"].version); clean()
micropip.set_constraints([])
await micropip.install("marked"); answers.append(have()); clean()
await micropip.install("cycle-a"); answers.append(have()); clean()
await micropip.install("never; sys_platform == 'emscripten'"); answers.append(have())
manager = micropip.PackageManager()
manager.set_index_urls([INDEX.replace("/simple/", "/nothing/"), INDEX.replace("/simple/", "/pypi/{package_name}/json")])
await manager.install("sieve"); answers.append([have(), micropip.list()["sieve"].version])
return answers
""")
    assert got == [["soup"], ["lexer", "sieve", "soup"], "5.0rc1", "4.11.0", "4.11.0", ["marked", "sieve"], ["cycle-a", "cycle-b"], [], [["sieve"], "2.5"]]


def test_another_version(run):
    got = run("""
import importlib, os, sys
await micropip.install("changes==1.0")
import changes
first = changes.v
try:
    await micropip.install("changes==2.0")
except ValueError as e:
    text = str(e)
await micropip.install("changes==2.0", reinstall=True)
importlib.reload(changes)
second = [changes.v, micropip.list()["changes"].version, os.path.exists("/session/site-packages/old_only.py"), os.path.exists("/session/site-packages/changes-1.0.dist-info")]
await micropip.install("changes", reinstall=True)
micropip.uninstall("changes")
del sys.modules["changes"]
try:
    import changes
except ModuleNotFoundError as e:
    gone = e.name
return [first, text, second, gone, [name for name in os.listdir("/session/site-packages") if "changes" in name]]
""")
    assert got[0] == 1 and got[2:] == [[2, "2.0", False, False], "changes", []]
    assert got[1].startswith("Requested 'changes==2.0', but changes==1.0 is already installed")


def test_addresses(run, index):
    soup = next(one for one in index.files.values() if one.filename.startswith("soup-4.11"))
    url = index.file_url(soup)
    got = run(f"""
import urllib.request
url = {url!r}
async def version(*what, **how):
    micropip.uninstall(["soup", "sieve"])
    await micropip.install(*what, **how)
    one = micropip.list()["soup"]
    return [one.version, one.source == url or one.source]
answers = [await version(url), await version("soup @ " + url), await version(url + "#sha256={soup.sha256}"), await version([url + "?a=b"])]
import js
from pyodide.http import pyfetch
data = await (await pyfetch(url)).bytes()
for name, how in (("/tmp/soup-4.11.0-py3-none-any.whl", "emfs:"), ("/tmp/x/soup-4.11.0-py3-none-any.whl", "file://"), ("/tmp/y/soup-4.11.0-py3-none-any.whl", "")):
    import os
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(data)
    answers.append(await version(how + name))
answers.append(await version("soup", constraints=["soup @ " + url]))
return answers
""")
    assert got == [["4.11.0", True]] * 3 + [["4.11.0", url + "?a=b"], ["4.11.0", "emfs:/tmp/soup-4.11.0-py3-none-any.whl"],
                                            ["4.11.0", "file:///tmp/x/soup-4.11.0-py3-none-any.whl"], ["4.11.0", "/tmp/y/soup-4.11.0-py3-none-any.whl"], ["4.11.0", True]]


def test_no_wheel(run):
    """The words of Pyodide's micropip, and what there is instead."""
    e = run('await micropip.install("only-windows==2.2.2")')
    assert e["error"] == "ValueError"
    assert e["text"] == f"Can't find a pure Python 3 wheel for 'only-windows==2.2.2'.\nSee: {FAQ}\n{HINT}"
    assert e["notes"] == ["(only-windows 2.2.2 is there, but its wheels are for win_amd64)"]
    e = run('await micropip.install("old-source")')
    assert e["text"] == f"Can't find a pure Python 3 wheel for 'old-source'.\nSee: {FAQ}\n{HINT}"
    assert "source distribution only" in e["notes"][0]
    e = run('micropip.uninstall("soup")\nawait micropip.install("soup==99")')
    assert e["text"].startswith("Can't find a pure Python 3 wheel for 'soup==99'.\n") and "there is soup 4.11.0, 4.12.3, 5.0rc1" in e["notes"][0]
    e = run('await micropip.install("lexer>=9")')
    assert "it needs Python >=3.99, and this is 3.11" in e["notes"][0]
    e = run('await micropip.install("needs-source", keep_going=True)')
    assert e["text"] == f"Can't find a pure Python 3 wheel for: 'old-source', 'only-windows>=2', 'nowhere-at-all'\nSee: {FAQ}\n"
    assert len(e["notes"]) == 3 and all(note.endswith("; needs-source 1.0 requires it)") for note in e["notes"])
    e = run('await micropip.install("nowhere-at-all")')
    assert e["text"] == ("Can't fetch metadata for 'nowhere-at-all'. Please make sure you have entered a correct package name "
                         "and correctly specified index_urls (if you changed them).")
    assert run('micropip.uninstall(list(micropip.list()))\nreturn list(micropip.list())') == []


def test_conflicts(run):
    e = run('await micropip.install(["wants-old", "wants-new"])')
    assert e["error"] == "ResolveError" and "ValueError" in e["is"]
    assert "wants-old 1.0 requires sieve<2" in e["text"] and "wants-new 1.0 requires sieve>=2" in e["text"] and "you asked for wants-old" in e["text"]
    e = run('await micropip.install("sieve==2.5")\nawait micropip.install("wants-old")')
    assert "wants-old 1.0 requires sieve<2" in e["text"] and "sieve 2.5 is installed" in e["text"]
    assert run('await micropip.install("wants-old", reinstall=True)\nreturn micropip.list()["sieve"].version') == "1.0"


def test_refuses_what_is_no_requirement(run):
    for text, said in (("a b", "is no requirement"), ("git+https://x/y.git", "address of a repository"), ("", "is no requirement"),
                       ("https://x/y.tar.gz", "is no requirement"), ("a @ https://x/y.tar.gz", "not the address of a wheel"),
                       ("https://x/nonsense.whl", "Wheel filename is invalid: 'nonsense.whl'"), ("ftp://x/a-1-py3-none-any.whl", "neither http:"),
                       ("https://x/a-1-cp311-cp311-win_amd64.whl", "Wheel platform 'win_amd64' is not compatible"),
                       ("https://x/a-1-cp312-cp312-pyodide_2024_0_wasm32.whl", "Wheel platform 'pyodide_2024_0_wasm32' is not compatible"),
                       ("https://x/a-1-py2-none-any.whl", "Wheel interpreter version 'py2' is not supported")):
        e = run(f"await micropip.install({text!r})")
        assert "ValueError" in e["is"] and said in e["text"], e
    assert run("await micropip.install(7)")["error"] == "TypeError"
    assert run("await micropip.install([None])")["error"] == "TypeError"
    assert run('await micropip.install("/nowhere/a-1-py3-none-any.whl")')["error"] == "FileNotFoundError"


def test_freeze(run, index):
    got = run("""
import json
micropip.uninstall(list(micropip.list()))
await micropip.install("soup")
return json.loads(micropip.freeze())
""")
    soup = got["packages"]["soup"]
    file = next(one for one in index.files.values() if one.filename.startswith("soup-4.12"))
    assert soup == {"name": "soup", "version": "4.12.3", "file_name": index.file_url(file), "install_dir": "site", "sha256": file.sha256, "package_type": "package",
                    "imports": ["soup"], "depends": ["sieve"], "unvendored_tests": False, "shared_library": False}
    assert got["packages"]["sieve"]["depends"] == [] and set(got["info"]) == {"abi_version", "arch", "platform", "python", "version"}


def test_mock_packages(run):
    got = run("""
import importlib.metadata
micropip.add_mock_package("sieve", "7.0", modules={"sieve_mock": "x = 1\\nprint('imported')", "sieve_mock.sub": lambda module: setattr(module, "y", 2)})
micropip.add_mock_package("plain", "1.0")
micropip.add_mock_package("kept-one", "2.0", modules={"kept_a": "    z = 3", "kept_a.b": None}, persistent=True)
import sieve_mock, sieve_mock.sub, plain, kept_a, kept_a.b
answers = [sieve_mock.x, sieve_mock.sub.y, kept_a.z, kept_a.__file__, sorted(micropip.list_mock_packages()), importlib.metadata.version("Sieve")]
micropip.uninstall(["soup"])
await micropip.install("soup")
answers.append("sieve" in micropip.list())
for name in ("sieve", "plain", "kept-one"):
    micropip.remove_mock_package(name)
answers.append(micropip.list_mock_packages())
for name in ("sieve_mock", "kept_a.b"):
    try:
        __import__(name)
        answers.append(name)
    except ImportError:
        pass
try:
    micropip.remove_mock_package("soup")
except ValueError as e:
    answers.append(str(e))
micropip.uninstall("soup")
return answers
""")
    assert "error" not in got, got
    assert got[:5] == [1, 2, 3, "/session/site-packages/kept_a/__init__.py", ["kept-one", "plain", "sieve"]]
    assert got[5:7] == ["7.0", False] and got[7] == []
    assert got[-1] == "Package soup doesn't seem to be a micropip mock. \nAre you sure it was installed with micropip?" and "sieve_mock" not in got


def test_says_what_it_does(run):
    got = run("""
import contextlib, io
def said(buffer):
    return buffer.getvalue()
with contextlib.redirect_stdout(io.StringIO()) as out:
    await micropip.install("fresh0", verbose=True)
    await micropip.install("fresh0", verbose=True)
    micropip.uninstall("fresh0", verbose=True)
    micropip.uninstall("no-such-package")
    await micropip.install("fresh0")
    import os
    os.unlink("/session/site-packages/fresh0.py")
    micropip.uninstall("fresh0")
return out.getvalue().splitlines()
""")
    assert got == ["Collecting fresh0", "  Downloading fresh0-1.0-py3-none-any.whl", "Installing collected packages: fresh0", "Successfully installed fresh0-1.0",
                   "Requirement already satisfied: fresh0", "Found existing installation: fresh0 1.0", "Successfully uninstalled fresh0-1.0",
                   "Skipping 'no-such-package' as it is not installed.",
                   "A file '/session/site-packages/fresh0.py' listed in the metadata of 'fresh0' does not exist."]


def test_at_the_same_time(run, index):
    got = run("""
import asyncio
await asyncio.gather(*(micropip.install(["fresh1", "fresh2"]) for _ in range(8)), micropip.install("fresh3"))
import fresh1, fresh2, fresh3
return [fresh1.x, fresh2.x, fresh3.x]
""")
    assert got == [1, 2, 3]
    assert len(index.asked("fresh1-1.0-py3-none-any.whl")) <= 2 and len(index.asked("/simple/fresh1")) == 1


def test_the_node_keeps_wheels(lab, run, index):
    """What has a hash is asked for once, whoever installs it; what has none each time."""
    again = 'await micropip.install("fresh10")\nmicropip.uninstall("fresh10")\n'
    name = "fresh10-1.0-py3-none-any.whl"
    assert run(again) is None
    kept = hashlib.sha256(bytes.fromhex(index.files[name].sha256) + index.file_url(name).encode()).hexdigest()
    until("it is kept, written behind the answer", lambda: list(lab.project.glob(".corral/**/wheels/" + kept)))
    assert run(again * 2) is None
    assert len([path for path in index.asked(name) if not path.endswith(".metadata")]) == 1
    index.faults[name] = "no-hash"
    try:
        assert run('await micropip.install("fresh10")\nreturn micropip.list()["fresh10"].source') == f"{index.origin}/files/{name}"
        assert run(again * 2) is None
    finally:
        index.faults.clear()


def test_when_memory_is_full(run, index):
    """Nothing of what does not fit stays, and what it was to replace is there as before."""
    index.add(wheel("huge", "1.0", {"huge/a.py": "v = 1\n"}), wheel("huge", "2.0", {"huge/a.py": "v = 2\n", "huge/data.bin": bytes(range(256)) * 4096}))
    got = run("""
import os
from corral.memory import tree
await micropip.install("huge==1.0")
before, tree.BYTES_MAX = tree.BYTES_MAX, tree.used_bytes + 500_000
try:
    await micropip.install("huge==2.0", reinstall=True)
except OSError as e:
    said = [e.errno, str(e)]
finally:
    tree.BYTES_MAX = before
from huge.a import v
answer = [said, v, micropip.list()["huge"].version, sorted(os.listdir("/session/site-packages/huge")),
          [name for name in os.listdir("/session/site-packages") if "huge" in name]]
micropip.uninstall("huge")
return answer
""")
    assert got[0][0] == 28 and "huge 2.0 cannot be installed" in got[0][1]
    assert got[1:3] == [1, "1.0"] and set(got[3]) - {"__pycache__"} == {"a.py"} and sorted(got[4]) == ["huge", "huge-1.0.dist-info"]


def test_a_client_that_leaves_holds_up_nobody(lab, run, index):
    """Others install meanwhile; who wants the same waits until the first one's time is over."""
    index.faults["fresh13-1.0-py3-none-any.whl"] = "slow"
    code = f"""import micropip
from micropip import _fetch
patiently = _fetch.Fetcher._patiently
def impatiently(self, awaitable, url):      # once, with that wheel
    if "fresh13-1.0" in url:
        _fetch.SILENCE_S, _fetch.Fetcher._patiently = 2, patiently
    return patiently(self, awaitable, url)
_fetch.Fetcher._patiently = impatiently
await micropip.install('fresh13', index_urls={index.url!r})"""
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(code), "x-mode": "json"})
    until("its wheel is asked for", lambda: index.asked("fresh13-1.0-py3-none-any.whl"))
    connection.close()
    index.faults.clear()
    try:
        assert run("""
from micropip import _fetch
_fetch.SILENCE_S = 30
await micropip.install("fresh14")
import fresh14
early = "fresh13" in micropip.list()
await micropip.install(["fresh15", "fresh13"])
return [fresh14.x, early, "fresh13" in micropip.list(), "fresh15" in micropip.list()]
""") == [14, False, True, True]
    finally:
        index.release()
        index.released.clear()


def test_a_cancelled_one_leaves_nothing(run, index):
    index.faults["fresh5-1.0-py3-none-any.whl"] = "slow"
    got = run("""
import asyncio, os
task = asyncio.create_task(micropip.install(["fresh4", "fresh5"]))
second = asyncio.create_task(micropip.install("fresh6"))
await asyncio.sleep(0.1)
task.cancel()
try:
    await task
except asyncio.CancelledError:
    pass
await second
return [sorted(n for n in os.listdir("/session/site-packages") if "fresh4" in n or "fresh5" in n), "fresh6" in micropip.list()]
""")
    assert got == [[], True]
    index.faults.clear()


BAD = {
    "missing": ("FetchError", "answered 404"),
    "error": ("FetchError", "answered 500"),
    "login": ("FetchError", "answered 401"),
    "slow": ("FetchError", "does not answer"),
    "stall": ("FetchError", "does not answer"),
    "cut": ("FetchError", "cannot be fetched"),
    "endless": ("FetchError", "sent more than"),
    "garbage": ("ChecksumError", "Invalid checksum: expected"),
    "wrong-hash": ("ChecksumError", "Invalid checksum: expected"),
    "redirect-loop": ("FetchError", "cannot be fetched"),
    "redirect-file": ("FetchError", "cannot be fetched"),
    "hang-up": ("FetchError", "cannot be fetched"),
}
QUICK = """
from micropip import _fetch
before = _fetch.SILENCE_S, _fetch.WHEEL_MAX, _fetch.index.PAGE_MAX, _fetch.Fetcher._patiently
def impatiently(self, awaitable, url):
    _fetch.SILENCE_S = 0.3 if url == {silent!r} else 30
    return before[-1](self, awaitable, url)
_fetch.WHEEL_MAX, _fetch.index.PAGE_MAX, _fetch.Fetcher._patiently = 1 << 20, 1 << 20, impatiently
try:
    await micropip.install({what!r})
finally:
    _fetch.SILENCE_S, _fetch.WHEEL_MAX, _fetch.index.PAGE_MAX, _fetch.Fetcher._patiently = before
"""


def quick(what, fault, url):
    """Install it, with limits that a test can meet: only the address that says nothing is given up soon, others may take their time."""
    return QUICK.format(what=what, silent=url if fault in ("slow", "stall") else None)


CLEAN = """
import os
assert not [name for name in os.listdir("/session/site-packages") if "fresh7" in name] and "fresh7" not in micropip.list()
"""


@pytest.mark.parametrize("fault", BAD)
def test_bad_files(run, index, fault):
    """Whatever comes instead of a wheel: an error that names it, and nothing else."""
    name = "fresh7-1.0-py3-none-any.whl"
    kind, said = BAD[fault]
    index.metadata = False
    index.faults[name] = fault
    try:
        e = run(quick(["fresh8", "fresh7"], fault, index.file_url(name)))
        assert (e["error"], said in e["text"], name in e["text"]) == (kind, True, True), e
        assert run(CLEAN + "return 7") == 7
    finally:
        index.metadata = True
        index.faults.clear()
        if fault in ("slow", "stall", "endless"):
            index.release()
            index.released.clear()


PAGES = {**{fault: BAD[fault] for fault in BAD if fault not in ("missing", "garbage", "wrong-hash")},
         "garbage": ("ValueError", "is no page of a package index"), "lies": ("ValueError", "is no page of a package index"), "cut": ("", "")}


@pytest.mark.parametrize("fault", PAGES)
def test_bad_pages(run, index, fault):
    kind, said = PAGES[fault]
    index.faults["fresh7"] = fault
    try:
        e = run(quick("fresh7", fault, index.url + "fresh7/"))
        assert "error" in e and (not kind or e["error"] == kind) and said in e["text"] and "fresh7" in e["text"], e
        assert run(CLEAN + "return 7") == 7
    finally:
        index.faults.clear()
        if fault in ("slow", "stall", "endless"):
            index.release()
            index.released.clear()


def _hostile():
    info = "fresh7-1.0.dist-info/"
    good = wheelwright.contents("fresh7", "1.0")

    def with_(entries):
        return wheelwright.raw_zip([{"path": path, "data": data} for path, data in good.items()] + entries)
    yield "bomb", wheelwright.bomb("fresh7", "1.0", 64 << 20), "more than 100 times"
    yield "traversal", with_([{"path": "../../../etc/evil", "data": b"x"}]), "would leave the folder"
    yield "absolute", with_([{"path": "/etc/evil", "data": b"x"}]), "would leave the folder"
    yield "data traversal", with_([{"path": "fresh7-1.0.data/purelib/../../evil.py", "data": b"x"}]), "would leave the folder"
    yield "symlink", with_([{"path": "evil", "data": b"/etc/passwd", "mode": 0o120777}]), "symbolic link"
    yield "encrypted", with_([{"path": "evil", "data": b"x", "flags": 1}]), "encrypted"
    yield "method", with_([{"path": "evil", "data": b"x", "method": 14}]), "method 14"
    yield "unlisted", with_([{"path": "evil.py", "data": b"x"}]), "RECORD has no hash"
    yield "cut zip", wheelwright.zipped(good)[:-30], "cut short"
    yield "other", wheelwright.wheel("other", "1.0")[1], "is of 'other'"
    yield "no zip", b"<html>", "no zip archive"
    yield "changed", wheelwright.zipped({**good, "fresh7.py": b"evil"}), "not what its RECORD says"
    yield "no metadata", wheelwright.zipped({path: data for path, data in good.items() if path != info + "METADATA"}), "has no fresh7-1.0.dist-info/METADATA"


def test_hostile_wheels(run, index):
    one = next(file for file in index.files.values() if file.filename.startswith("fresh7-"))
    kept = one.data, one.metadata
    try:
        for name, data, said in _hostile():
            for metadata in (None, kept[1]):
                one.data, one.metadata = data, metadata
                e = run('await micropip.install(["fresh8", "fresh7"])')
                assert e["error"] == "ValueError" and said in e["text"] and index.file_url(one) in e["text"], (name, e)
                assert run(CLEAN + "return 'fresh8' in micropip.list()") is False, name
    finally:
        one.data, one.metadata = kept
    assert run('await micropip.install("fresh7")\nimport fresh7\nanswer = fresh7.x\nmicropip.uninstall("fresh7")\nreturn answer') == 7


def test_hostile_metadata(run, index):
    """What PEP 658's file says is checked against its hash, and bounded."""
    one = next(file for file in index.files.values() if file.filename.startswith("fresh7-"))
    kept = one.metadata
    try:
        for text, said in ((b"nonsense", "is no METADATA"), (b"Name: fresh7\nVersion: 1.0\nRequires-Dist: a b c\n", "is no requirement"),
                           (b"Name: fresh7\nVersion: 1.0\n" + b"Requires-Dist: soup\n" * 2001, "more than 2000 requirements"),
                           (b"Name: fresh7\nVersion: 1.0\nRequires-Dist: x @ file:///etc/passwd\n", "x @ file:///etc/passwd")):
            one.metadata = text
            e = run('await micropip.install("fresh7")')
            assert "error" in e and said in e["text"] or "not the address of a wheel" in e["text"], e
            assert run(CLEAN + "return 7") == 7
    finally:
        one.metadata = kept


def test_an_index_with_a_password(run):
    with PackageIndex(login=("me", "s3cret")) as closed:
        closed.add(wheel("private", "1.0"))
        url = closed.url.replace("http://", "http://me:s3cret@")
        got = run(f"""
await micropip.install("private", index_urls={url!r})
import importlib.metadata
return [micropip.list()["private"].version, importlib.metadata.distribution("private").read_text("PYODIDE_URL")]
""")
        assert got[0] == "1.0" and "s3cret" not in got[1]
        e = run(f"await micropip.install('nothing', index_urls={url.replace('s3cret', 'wr0ng')!r})")
        assert "answered 401" in e["text"] and "wr0ng" not in json.dumps(e)
        assert run("micropip.uninstall('private')") is None


def test_an_index_that_is_not_there(run):
    e = run('await micropip.install("soup @ http://127.0.0.1:1/soup-1-py3-none-any.whl#sha256=abc")')
    assert "ValueError" in e["is"] and "64 hexadecimal digits" in e["text"], e
    e = run('await micropip.install("soup2", index_urls="http://127.0.0.1:1/simple")')
    assert e["error"] == "FetchError" and "OSError" in e["is"] and "http://127.0.0.1:1/simple/soup2/ cannot be fetched" in e["text"], e


def test_only_in_a_request(lab, corral, index):
    """Without one there is no fetch; the error says so."""
    corral_ = corral({"src/entry.py": f"""
        import asyncio, micropip
        from js import Response
        early = asyncio.ensure_future(micropip.install("soup", index_urls={index.url!r}))

        async def on_fetch(request, env):
            said = repr(early.exception())
            await micropip.install("sieve", index_urls={index.url!r})
            import sieve
            return Response.new(f"{{said}} {{sieve.mesh}}")
    """})
    text = corral_.get().text
    assert "within global scope" in text and text.endswith(" 1"), text


@pytest.fixture(scope="module")
def package_set():
    """A package set of three distributions, as `corral packages sync` lays them out, where workers may read."""
    folder = Path(tempfile.mkdtemp(prefix=".test-set-", dir=os.environ["CORRAL_PACKAGES"]))
    folder.chmod(0o755)
    packages = {"broth": ("1.5", ["salt"], {"rich": ["cream"]}), "salt": ("0.9", [], {}), "cream": ("3.0", [], {})}
    said = {}
    for name, (version, needs, extras) in packages.items():
        place = folder / f"{name}-{version}"
        for path, data in wheelwright.contents(name, version).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
        said[name] = {"version": version, "folder": place.name, "imports": [name], "dependencies": needs, "extras": extras, "source": "debian:x"}
    (folder / "packages.json").write_text(json.dumps({"name": "test", "packages": said}))
    yield folder
    shutil.rmtree(folder)


def test_the_package_set(lab, index, package_set):
    """It comes before the indexes, unless a version is asked for that it lacks, or indexes were set."""
    index.add(wheel("broth", "2.0", requires=["salt"]), wheel("salt", "1.0"))

    def run(code):
        head = f"""import sys
from corral import memory, packages
import micropip
from micropip import _site, package_manager
memory.set_real([{str(package_set)!r}])
packages.set_folder, _site._set = {str(package_set)!r}, False
package_manager.DEFAULT_INDEX_URLS[:] = [{index.url!r}]
micropip._manager._index_urls = None
def have():
    return {{name: list(one)[1:] for name, one in micropip.list().items() if name in ("broth", "salt", "cream")}}
micropip.uninstall(["broth", "salt", "cream"])
for name in ("broth", "salt", "cream"):
    sys.modules.pop(name, None)
try:
{chr(10).join("    " + line for line in code.strip().splitlines())}
finally:
    micropip.uninstall(list(have()))
    packages.set_folder, _site._set = "", False
"""
        said = json.loads(lab.get(headers={"x-code": lab_code(head), "x-mode": "json"}).text)
        assert "value" in said, said
        return said["value"]

    before = len(index.requests)
    assert run("""
await micropip.install("broth")
import broth, salt, importlib.metadata
return [have(), broth.__file__, salt.__version__, importlib.metadata.version("broth")]
""") == [{"broth": ["1.5", "pyodide"], "salt": ["0.9", "pyodide"]}, f"{package_set}/broth-1.5/broth.py", "0.9", "1.5"]
    assert sorted(run('await micropip.install("broth[rich]")\nreturn have()')) == ["broth", "cream", "salt"]
    assert len(index.requests) == before
    assert run('await micropip.install("broth>=2")\nreturn have()') == {"broth": ["2.0", "pypi"], "salt": ["0.9", "pyodide"]}
    assert run('await micropip.install(["broth", "salt>=1"])\nreturn have()') == {"broth": ["2.0", "pypi"], "salt": ["1.0", "pypi"]}
    assert run(f'await micropip.install("broth", index_urls={index.url!r})\nreturn have()') == {"broth": ["2.0", "pypi"], "salt": ["1.0", "pypi"]}
    assert run(f'await micropip.install("cream", index_urls={index.url!r})\nreturn have()') == {"cream": ["3.0", "pyodide"]}
    assert run(f"""
import pyodide_js
new = await pyodide_js.loadPackage("broth")
again = await pyodide_js.loadPackage(["broth", "salt"])
imported = await pyodide_js.loadPackagesFromImports("import cream.x, json, nothing")
url = {index.file_url("fresh11-1.0-py3-none-any.whl")!r}
by_address = await pyodide_js.loadPackage(url)
import broth, salt, cream, fresh11
return [sorted(one["name"] for one in new), again, [one["name"] for one in imported], by_address[0]["version"], fresh11.x, have()["broth"],
        pyodide_js.loadedPackages["salt"], pyodide_js.loadedPackages["fresh11"] == url]
""") == [["broth", "salt"], [], ["cream"], "1.0", 11, ["1.5", "pyodide"], "default channel", True]
    assert run("""
await micropip.install("broth")
await micropip.install("broth==2.0", reinstall=True)
import broth, json
frozen = json.loads(micropip.freeze())["packages"]
return [have()["broth"], broth.__version__, frozen["broth"]["version"], frozen["cream"]["version"], frozen["cream"]["imports"]]
""") == [["2.0", "pypi"], "2.0", "2.0", "3.0", ["cream"]]


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """(file name, bytes) of a wheel with an extension module in C, and the library beside it that it needs."""
    folder = tmp_path_factory.mktemp("native")
    (folder / "lib.c").write_text("int corral_answer(void) { return 42; }\n")
    (folder / "ext.c").write_text("""
#include <Python.h>
int corral_answer(void);
static PyObject *answer(PyObject *self, PyObject *nothing) { (void)self, (void)nothing; return PyLong_FromLong(corral_answer()); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "ext", .m_size = -1, .m_methods = methods};
PyMODINIT_FUNC PyInit_ext(void) { return PyModule_Create(&module); }
""")
    library, extension = folder / "libanswer-1234.so", folder / "ext.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-soname,libanswer-1234.so", "-o", library, folder / "lib.c"], check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-I", sysconfig.get_path("include", vars={"py_version_short": "3.11"}), "-o", extension, folder / "ext.c",
                    library, "-Wl,-rpath,$ORIGIN/../withc.libs"], check=True)
    return {"withc/__init__.py": "from .ext import answer\n", "withc/ext.cpython-311-x86_64-linux-gnu.so": extension.read_bytes(),
            "withc.libs/libanswer-1234.so": library.read_bytes()}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the name of its platform is written out")
def test_a_native_wheel(run, index, native):
    index.add(wheel("withc", "1.0", native, tag="cp311-cp311-manylinux_2_17_x86_64"), wheel("withc", "1.0", {"withc.py": "pure = 1"}))
    assert run('await micropip.install("withc")\nimport withc\nreturn [withc.answer(), withc.ext.__file__]') == [
        42, "/session/site-packages/withc/ext.cpython-311-x86_64-linux-gnu.so"]


def test_indexes_by_a_variable(corral, index):
    corral_ = corral({"src/entry.py": """
        import micropip
        from js import Response

        async def on_fetch(request, env):
            await micropip.install("sieve")
            return Response.new(micropip.list()["sieve"].version)
    """, ".dev.vars": f"MICROPIP_INDEX_URLS=http://127.0.0.1:1/simple {index.url}\n"})
    assert corral_.get().text == "2.5"


def test_many_clients_at_once(lab, index, run):
    """Requests of one instance that all install the same: one does, all have it."""
    code = f"import micropip\nawait micropip.install('fresh9', index_urls={index.url!r})\nimport fresh9\nreturn fresh9.x"
    answers = []

    def ask():
        answers.append(json.loads(lab.get(headers={"x-code": lab_code(code), "x-mode": "json"}).text))
    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"value": 9}] * 12
