"""A project's own packages: requirements.txt, pyproject.toml, python_modules/ become what its worker imports.

The first part asks the packager (`corral-worker packages`) itself, the second one serves projects. The index is on loopback.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from harness import BIN, DEADLINE, ERROR, HELLO, PACKAGES, WARNING, children, descendants, is_alive, until
from package_index import PackageIndex, sdist, wheel

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk/python"))
from packager import asked, mistaken, pyproject, ready, requirements     # noqa: E402

for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
    del os.environ[name]

WASM = "cp312-cp312-pyodide_2024_0_wasm32"


@pytest.fixture(scope="module")
def index():
    """Small packages of all kinds."""
    with PackageIndex() as one:
        one.add(
            wheel("pure", "1.0", {"pure.py": "version = '1.0'\n"}),
            wheel("pure", "2.0", {"pure.py": "version = '2.0'\n"}),
            wheel("needs-set", "1.0", {"needs_set.py": "import idna\nversion = idna.__name__\n"}, requires=["idna>=2", "pure"]),
            wheel("newer-idna", "1.0", {"newer_idna.py": "import idna\nversion = idna.version\n"}, requires=["idna>=9"]),
            wheel("idna", "9.1", {"idna.py": "version = '9.1'\n"}),
            wheel("with-extra", "1.0", {"with_extra.py": "x = 1\n"}, extras={"more": ["pure==1.0"]}),
            wheel("old-pure", "1.0", {"old_pure.py": ""}, requires=["pure<2"]),
            wheel("new-pure", "1.0", {"new_pure.py": ""}, requires=["pure>=2"]),
            sdist("only-source", "0.3"),
            sdist("was-wheel", "2.0"), wheel("was-wheel", "1.5", {"was_wheel.py": ""}),
            wheel("elsewhere", "1.0", {"elsewhere.py": ""}, tag="cp311-cp311-win_amd64"),
            wheel("future", "1.0", {"future.py": ""}, requires_python=">=3.99"),
            wheel("fastapi", "0.110.0", {"fastapi.py": "__version__ = '0.110.0'\n"}),
            wheel("large", "1.0", {"large.py": "", "large.bin": os.urandom(3 << 20)}),
            wheel("slow", "1.0", {"slow.py": ""}))
        one.faults["slow"] = "slow"
        yield one


class Job:
    """What the packager said to one job."""

    def __init__(self, folder, more=(), env=None, home=PACKAGES, program=BIN / "corral-worker"):
        job = {"job": "environment", "home": str(home), "project": str(folder), "date": "2026-01-01", "state": str(folder / "state"),
               "limit_bytes": 256 << 20, **dict(more)}
        run = subprocess.run([program, "packages"], input=json.dumps(job).encode(), capture_output=True, timeout=DEADLINE * 3,
                             env={**os.environ, **(env or {})})
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        self.progress = [line["progress"] for line in lines if "progress" in line]
        self.warnings = [line["warning"] for line in lines if "warning" in line]
        self.done, self.error = lines[-1].get("done"), lines[-1].get("error")
        self.stderr = run.stderr.decode()

    def folder_of(self, module):
        """Where a module is found; None."""
        for folder in self.done["folders"]:
            if os.path.exists(f"{folder}/{module}.py") or os.path.isdir(f"{folder}/{module}"):
                return folder
        return None

    @property
    def versions(self):
        return {one["name"]: one["version"] for one in self.done["packages"]}


@pytest.fixture
def ask(tmp_path, index):
    """ask(files, ...) -> Job of a project with these files. ASK in a text is the option for the test's index."""
    def make(files, **more):
        if isinstance(files, str):
            files = {"requirements.txt": files}
        for path, content in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.replace("ASK", f"--index-url {index.url}").encode())
        return Job(tmp_path, **more)
    return make


# ---- requirement files ----


def parse(tmp_path, files, read=requirements.read_file, name="requirements.txt"):
    for path, content in ({name: files} if isinstance(files, (str, bytes)) else files).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    found = asked.Asked(str(tmp_path))
    read(found, str(tmp_path / name))
    return found


def test_a_requirements_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0ken")
    found = parse(tmp_path, {"requirements.txt": """\
\ufeff# what the worker needs
fastapi            # the newest
httpx>=0.23,<1     # a range
uvicorn[standard] == 0.20.0 ; python_version >= "3.8"
numpy; sys_platform == "win32"
typing_extensions (>=4)
pkg-a==1.0 \\
    --hash=sha256:%s \\
    --hash=sha256:%s
--index-url=https://user:${TOKEN}@example.org/simple
--extra-index-url https://more.example.org/simple
--find-links wheels
-r base.txt
--requirement deep/more.txt
-cbounds.txt
--pre --trusted-host example.org
pydantic @ https://example.org/pydantic-1.0-py3-none-any.whl#sha256=ab
https://example.org/some_thing-1.0-py3-none-any.whl
./wheels/own_thing-2.0-py3-none-any.whl ; python_version > "3"
micropip
workers-py==1.0
ssl
last-one""" % ("a" * 64, "B" * 64), "base.txt": "\n\nrequests\n", "deep/more.txt": "-r ../base2.txt\nsix\n", "base2.txt": "attrs",
        "bounds.txt": "idna<4\n", "wheels/own_thing-2.0-py3-none-any.whl": b""})
    assert [(w.as_line(), os.path.relpath(w.file, tmp_path), w.line) for w in found.wanted] == [
        ("fastapi", "requirements.txt", 2), ("httpx<1,>=0.23", "requirements.txt", 3), ("uvicorn[standard]==0.20.0", "requirements.txt", 4),
        ("typing_extensions>=4", "requirements.txt", 6),
        (f"pkg-a==1.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}", "requirements.txt", 7),
        ("requests", "base.txt", 3), ("attrs", "base2.txt", 1), ("six", "deep/more.txt", 2),
        ("pydantic @ https://example.org/pydantic-1.0-py3-none-any.whl#sha256=ab", "requirements.txt", 17),
        ("some_thing @ https://example.org/some_thing-1.0-py3-none-any.whl", "requirements.txt", 18),
        (f"own_thing @ file://{tmp_path}/wheels/own_thing-2.0-py3-none-any.whl", "requirements.txt", 19),
        ("last-one", "requirements.txt", 23)]
    assert [(w.as_line(), w.file) for w in found.constraints] == [("idna<4", str(tmp_path / "bounds.txt"))]
    assert (found.index_url, found.extra_index_urls) == ("https://user:t0ken@example.org/simple", ["https://more.example.org/simple"])
    assert (found.find_links, found.trusted_hosts, found.pre, found.no_index) == ([str(tmp_path / "wheels")], ["example.org"], True, False)
    assert [os.path.relpath(file, tmp_path) for file in found.files] == [
        "requirements.txt", "base.txt", "deep/more.txt", "base2.txt", "bounds.txt", "wheels/own_thing-2.0-py3-none-any.whl"]


MISTAKES = {
    "fastapi=0.1": ("'fastapi=0.1' is no requirement", "fastapi==0.1"),
    "fastapi 0.1": ("'fastapi 0.1' is no requirement", "fastapi==0.1"),
    "==1": ("'==1' is no requirement", "a name"),
    "$ python3 -m pip install -U fastapi httpx": ("is no requirement", "each on a line of its own: fastapi, httpx"),
    "uv add --index https://me:secret@example.org fastapi": ("is no requirement", "each on a line of its own: fastapi"),
    "from PIL import Image": ("is no requirement", "stands here alone: pillow"),
    "- fastapi": ("'- fastapi' is no requirement", "without anything around it: fastapi"),
    "`fastapi>=0.90`,": ("is no requirement", "without anything around it: fastapi>=0.90"),
    "fastapi, httpx": ("is no requirement", "each stands on a line of its own: fastapi, httpx"),
    "fastapi==^0.92": ("is no requirement", "fastapi>=0.92"),
    "uvicorn[standard]=>0.20": ("is no requirement", "uvicorn[standard]>=0.20"),
    "numpy=1.24.2=py311_0": ("is no requirement", "numpy==1.24.2"),
    "fastapi@latest": ("is no requirement", "a name alone is the package set's version, or else the newest: fastapi"),
    'dependencies = ["fastapi"]': ("is no requirement", "lists are for pyproject.toml"),
    "\u200bfastapi": ("is no requirement", "a character in it that cannot be seen, U+200B"),
    "a; python_verson > '3'": ("is no requirement", ""),
    "-e .": ("'.' is to be installed editable", "beside the worker's main file"),
    "--editable=git+https://x.org/y": ("is to be installed editable", ""),
    "-e git+https://me:secret@x.org/y": ("'git+https://****@x.org/y' is to be installed editable", ""),
    "git+https://github.com/a/b.git@main": ("is to come from a repository", "pip wheel"),
    "b @ git+ssh://git@github.com/a/b.git": ("'b' is to come from a repository", "pip wheel"),
    "https://example.org/a-1.0.tar.gz": ("no wheel", "pip wheel"),
    "a @ https://me:an@secret@example.org/a-1.0.zip": ("https://****@example.org/a-1.0.zip", "pip wheel"),
    "a @ ftp://example.org/a-1.0-py3-none-any.whl": ("no address of http", ""),
    "./folder": ("'./folder' is a folder", "beside the worker's main file"),
    "./gone-1.0-py3-none-any.whl": ("there is no file './gone-1.0-py3-none-any.whl'", ""),
    "-r gone.txt": ("there is no file 'gone.txt'", "looked for as"),
    "-r requirements.txt": ("includes itself", ""),
    "-r https://example.org/r.txt": ("a file of another machine", "download it"),
    "--no-binary :all:": ("asks for packages to be built", ""),
    "--frobnicate": ("'--frobnicate' is no option", "--index-url"),
    "--index-url": ("--index-url needs a value", ""),
    "--index-url pypi": ("'pypi', which is no address", "https://"),
    "--find-links nowhere": ("there is no folder 'nowhere'", ""),
    "a --hash=md5:abc": ("'md5:abc' is no hash", "sha256:"),
    "a --hash=sha256:xyz": ("is no hash", ""),
    "a==${NOT_SET_HERE}": ("NOT_SET_HERE is not set", "NOT_SET_HERE="),
    "--index-url 'x": ("cannot be read", ""),
    "--index-url 'https://example.org/ --no-binary :all:'": ("no address", "https://"),
    "--find-links 'https://example.org/ --no-binary=:all:'": ("no address", "https://"),
    "a; python_version ~= 'x'": ("is no requirement", ""),
    "http://[::1/a-1-py3-none-any.whl": ("no address of http", ""),
    "a; " + "(" * 1500 + "os_name == 'a'" + ")" * 1500: ("nested too deeply", ""),
    "a==" + "1" * 4500: ("and 4096 are read", ""),
    "a[" + ",".join(f"b{i}" for i in range(50_000)) + "]": ("and 65536 are read", ""),
    "a[" + ",".join(f"b{i}" for i in range(5_000)) + "]": ("and 4096 are read", ""),
    "a" + " " * 900_000 + "b": ("and 65536 are read", ""),
    "https://example.org/" + "a" * 60_000 + ".zip": ("and 4096 are read", ""),
}


@pytest.mark.parametrize("line", MISTAKES, ids=lambda line: line[:50])
def test_a_mistake_in_a_requirements_file_says_where_and_what_to_do(tmp_path, line):
    (tmp_path / "folder").mkdir()
    with pytest.raises(asked.Mistake) as raised:
        parse(tmp_path, f"# one\nfine\n{line}\n")
    text, hint = MISTAKES[line]
    e = raised.value
    assert text in e.text and hint in e.hint and (e.file, e.line) == ("requirements.txt", 3), (e.text, e.hint, e.file, e.line)
    assert "secret" not in e.text + e.hint


def test_files_that_are_no_text(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for content, said, line in ((b"-r pipe", "is no file with text", 0), (b"-r a\0b", "cannot be read: ", 0), (b"-r /dev/zero", "is no file with text", 0), (b"a\nb\n\xff\n", "is not text in UTF-8", 3), (b"a\n" * (1 << 20), "is larger than 1 MiB", 0)):
        with pytest.raises(asked.Mistake) as raised:
            parse(tmp_path, content)
        assert said in raised.value.text and raised.value.line == line


def test_files_as_other_systems_write_them(tmp_path):
    for encoding in ("utf-8-sig", "utf-16", "utf-8"):
        found = parse(tmp_path, "fastapi\r\n\r\n# größer\r\nhttpx\u00a0\r\n".encode(encoding))
        assert [(w.name, w.line) for w in found.wanted] == [("fastapi", 1), ("httpx", 4)]
    assert [w.name for w in parse(tmp_path, b"\xfe\xff" + "fastapi\n".encode("utf-16-be")).wanted] == ["fastapi"]


def test_what_is_no_package_says_what_was_meant():
    class Set:
        packages = {"fastapi": None, "pillow": None}

        def provider(self, module):
            return type("Pillow", (), {"name": "pillow"}) if module == "PIL" else None
    for name, said in (("pil", "'PIL' is the name to import: the package is 'pillow'."), ("sklearn", "'sklearn' is the name to import: the package is 'scikit-learn'."),
                       ("asyncio", "'asyncio' is a part of Python"), ("concurrent", "is a part of Python"), ("asgi", "'asgi' is always there"),
                       ("fastpai", "did you mean 'fastapi'?"), ("beautifulsoup", "did you mean 'beautifulsoup4'?"), ("pandas", ""), ("pillow", ""), ("qqqq", "")):
        assert said in mistaken.meant(name, Set()) and bool(said) == bool(mistaken.meant(name, Set())), name
        assert bool(mistaken.meant(name, None)) == bool(said) or name == "fastpai"


def test_packages_that_are_listed_where_nobody_looks(tmp_path):
    for table, said in (('[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "*"', "[tool.poetry.dependencies] is not read"),
                        ('[packages]\nfastapi = "*"', "'packages' is not read where it stands"), ("", None),
                        ('[tool.poetry.dependencies]\npython = "^3.11"', None), ('[dependency-groups]\ndev = ["pytest"]', None)):
        found = parse(tmp_path, '[project]\nname = "x"\n' + table, pyproject.read_file, "pyproject.toml")
        assert [note["text"] for note in found.notes] == ([said] if said else []) and not found.wanted


def test_the_dependencies_of_pyproject(tmp_path):
    found = parse(tmp_path, """\
[project]
name = "x"
requires-python = ">=3.99"
dynamic = ["version"]
dependencies = [
  "fastapi",        # "commented"
  'httpx>=0.20; python_version > "3"',
  "numpy; sys_platform == 'emscripten'",
  "workers-runtime-sdk",
]
[dependency-groups]
dev = ["pytest"]
""", pyproject.read_file, "pyproject.toml")
    assert [(w.as_line(), w.line) for w in found.wanted] == [("fastapi", 6), ("httpx>=0.20", 7)]
    assert [note["line"] for note in found.notes] == [3] and "asks for Python >=3.99" in found.notes[0]["text"]
    start = time.process_time()
    text = "[project]\ndependencies = [\n" + "".join(f'"p{i}",\n' for i in range(9999)) + ']\n'
    assert parse(tmp_path, text, pyproject.read_file, "pyproject.toml").wanted[-1].line == 10001
    assert time.process_time() - start < 10
    for text, said, line in (("[project\n", "this is not TOML", 1), ("project = 1\n", "is no table", 0),
                             ("[project]\ndependencies = 'a'\n", "no list of strings", 2),
                             ("[project]\ndependencies = [\n'a',\n'b =1']\n", "'b =1' is no requirement", 4),
                             ("[project]\ndynamic = 1\ndependencies = ['b =1']", "'b =1' is no requirement", 3),
                             ("[project]\nx = " + "1" * 5000, "this is not TOML: ", 0),
                             ("[project]\nrequires-python='x'\n", "names no versions", 2)):
        with pytest.raises(asked.Mistake) as raised:
            parse(tmp_path, text, pyproject.read_file, "pyproject.toml")
        assert said in raised.value.text and (raised.value.file, raised.value.line) == ("pyproject.toml", line), raised.value.text


UV = """\
[project]
name = "x"
dependencies = ["mine[more]>=1; python_version > '3'", "torch", "other", "fastapi"]
[tool.uv]
constraint-dependencies = ["idna<9"]
[tool.uv.sources]
mine = { path = "wheels/mine-1.0-py3-none-any.whl" }
other = [{ url = "https://x.org/other-2-py3-none-any.whl", marker = "sys_platform == 'win32'" },
         { url = "https://x.org/other-1-py3-none-any.whl" }]
torch = { index = "torches" }
elsewhere = { git = "https://x.org/never-asked-for" }
[[tool.uv.index]]
name = "torches"
url = "https://torch.example.org/simple"
explicit = true
[[tool.uv.index]]
name = "unused"
url = "https://unused.example.org/simple"
explicit = true
[[tool.uv.index]]
url = "https://own.example.org/simple"
default = true
[[tool.uv.index]]
url = "https://more.example.org/simple"
"""


def test_sources_and_indexes_of_uv(tmp_path):
    files = {"pyproject.toml": UV, "wheels/mine-1.0-py3-none-any.whl": b"", "folder/setup.py": b""}
    found = parse(tmp_path, files, pyproject.read_file, "pyproject.toml")
    assert [w.as_line() for w in found.wanted] == [
        f"mine[more] @ file://{tmp_path}/wheels/mine-1.0-py3-none-any.whl", "torch", "other @ https://x.org/other-1-py3-none-any.whl", "fastapi"]
    assert [w.as_line() for w in found.constraints] == ["idna<9"] and str(tmp_path / "wheels/mine-1.0-py3-none-any.whl") in found.files
    assert found.index_url == "https://own.example.org/simple"
    assert found.extra_index_urls == ["https://torch.example.org/simple", "https://more.example.org/simple"]
    assert [note["line"] for note in found.notes] == [10] and "'torch' from the index 'torches' alone" in found.notes[0]["text"]
    base = '[project]\nname = "x"\ndependencies = ["mine"]\n[tool.uv.sources]\nmine = '
    for source, said in (('{ path = "folder" }', "from 'folder', which would have to be built"), ('{ path = "gone.whl" }', "which is not there"),
                         ("{ workspace = true }", "from the workspace"), ('{ git = "https://me:secret@x.org/a" }', "'mine' is to come from a repository"),
                         ('{ index = "gone" }', "the index 'gone', which is not there"), ('{ url = "https://x.org/a.tar.gz" }', "no wheel"),
                         ("{ editable = true }", "says nothing of 'mine' that Corral knows"), ('"1.0"', "no table")):
        with pytest.raises(asked.Mistake) as raised:
            parse(tmp_path, base + source, pyproject.read_file, "pyproject.toml")
        e = raised.value
        assert said in e.text and (e.file, e.line) == ("pyproject.toml", 5) and "secret" not in e.text, (e.text, e.line)
    base = '[project]\nname = "x"\ndependencies = ["mine"]\n'
    found = parse(tmp_path, base + "[tool.uv.pip]\nindex-url = 'https://a.example/simple'\nextra-index-url = ['https://b.example/simple']\n",
                  pyproject.read_file, "pyproject.toml")
    assert (found.index_url, found.extra_index_urls) == ("https://a.example/simple", ["https://b.example/simple"])
    for strange in ("[tool]\nuv = 1", "[tool.uv]\nindex = 1\nsources = 2", "[[tool.uv.index]]\nname = 1"):
        assert len(parse(tmp_path, base + strange, pyproject.read_file, "pyproject.toml").wanted) == 1
    with pytest.raises(asked.Mistake, match="no address"):
        parse(tmp_path, base + '[[tool.uv.index]]\nurl = "pypi"\n', pyproject.read_file, "pyproject.toml")


# ---- what is chosen ----


def test_names_come_from_the_set_without_any_index(ask):
    said = ask("fastapi\nPyYAML>=5\nhttpx\n--index-url http://127.0.0.1:1/\n")
    assert said.done, said.error
    assert {"fastapi", "starlette", "pydantic", "pyyaml", "httpx"} <= set(said.versions) and "django" not in said.versions
    assert all(folder.startswith(f"{PACKAGES}/") for folder in said.done["folders"]) and said.done["environment"] == ""
    assert said.folder_of("fastapi") and said.folder_of("yaml") and not said.folder_of("numpy")
    assert said.progress == said.warnings == [] and said.done["bytes"] == 0 and len(said.done["hash"]) == 32
    assert {"uvicorn", "click", "h11"} <= set(ask("fastapi\nuvicorn>=0.17\n").versions)
    other = ask("fastapi\nPyYAML>=5\n")
    assert other.done["hash"] != said.done["hash"]


def test_what_the_set_lacks_comes_from_the_index_and_the_rest_stays(ask, index):
    said = ask("ASK\nneeds-set\n")
    assert said.done, said.error
    assert said.versions["needs-set"] == "1.0" and said.versions["pure"] == "2.0" and said.versions["idna"].startswith("3")
    assert said.done["folders"][0] == said.done["environment"] + "/packages" and said.folder_of("idna").startswith(str(PACKAGES))
    packages = Path(said.done["folders"][0])
    assert (packages / "__pycache__/pure.cpython-311.pyc").read_bytes()[4:8] == b"\x01\0\0\0"      # by hash, unchecked
    assert not list(packages.glob("idna*")) and os.listdir(said.done["environment"]) != []
    assert any("needs-set from " in line and "debian-12 has no needs-set" in line for line in said.progress), said.progress
    asked_before = len(index.requests)
    again = ask("# a comment\nneeds-set\nASK")
    assert again.done == said.done and again.progress == [] and len(index.requests) == asked_before
    hashes = {said.done["hash"]}
    for text in ("ASK\nneeds-set\npure==1.0\n", "ASK\nneeds-set\npure==1.0\nfastapi\n"):
        said = ask(text)
        assert said.versions["pure"] == "1.0"
        hashes.add(said.done["hash"])
    assert len(hashes) == 3 and "fastapi" in said.versions


def test_a_version_that_the_set_does_not_have_says_so(ask, index):
    said = ask("ASK\nfastapi==0.110.0\n")
    assert said.versions == {"fastapi": "0.110.0"} and any("debian-12 has fastapi 0.92.0" in line for line in said.progress)
    said = ask("fastapi==0.110.0\n--index-url http://127.0.0.1:1/simple\n", env={"PIP_RETRIES": "0"})
    assert (said.error["file"], said.error["line"]) == ("requirements.txt", 1)
    assert said.error["text"] == "fastapi==0.110.0 is to come from the package index http://127.0.0.1:1/simple, which cannot be reached"
    assert "The package set debian-12 has fastapi 0.92.0." in said.error["hint"] and "corral packages sync" in said.error["hint"]
    said = ask("nump\n--index-url http://127.0.0.1:1/simple\n", env={"PIP_RETRIES": "0"})
    assert "did you mean 'numpy'? The package set debian-12 has no nump. Without network" in said.error["hint"] and "(corral packages list debian-12)" in said.error["hint"]


def test_when_the_set_does_not_fit_everything_comes_from_the_index(ask):
    said = ask("ASK\nnewer-idna\nidna\n")
    assert said.versions == {"newer-idna": "1.0", "idna": "9.1"} and any("do not fit together: everything comes from" in line for line in said.progress)
    assert len(said.done["folders"]) == 1
    assert ask("ASK\nnewer-idna\nidna\n").progress == []


def test_extras_constraints_and_wheels(ask, index, tmp_path):
    said = ask({"requirements.txt": "ASK\nwith-extra[more]\n"})
    assert said.versions == {"with-extra": "1.0", "pure": "1.0"}
    for line, said_of in (("with-extra[more,none]", "with-extra 1.0 does not provide the extra 'none'"),
                          ("fastapi[none]", "fastapi 0.92.0 does not provide the extra 'none'")):
        said = ask(f"ASK\n{line}\n")
        assert said.done and [one["text"] for one in said.warnings] == [said_of], said.warnings
    said = ask({"requirements.txt": "ASK\nwith-extra\nneeds-set\n-c c.txt\n", "c.txt": "pure<2\n"})
    assert said.versions["pure"] == "1.0" and str(tmp_path / "c.txt") in said.done["inputs"]
    own = wheel("own", "3.0", {"own.py": "x = 1\n", "own/data.txt": "data"}, requires=["pure"])
    url = index.file_url(index._of("pure")[0])
    said = ask({"requirements.txt": f"ASK\nwheels/{own.filename}\npure @ {url}\n", f"wheels/{own.filename}": own.data})
    assert said.done, said.error
    assert said.versions == {"own": "3.0", "pure": "1.0"}
    said = ask({"requirements.txt": "--no-index --find-links wheels\nown\npure\n"})
    assert "has no" in said.error["text"] or "pure" in said.error["text"], said.error


def test_hashes_are_checked(ask, index):
    pure = next(one for one in index._of("pure") if one.version == "1.0")
    said = ask(f"ASK\npure==1.0 --hash=sha256:{pure.sha256}\n")
    assert said.versions == {"pure": "1.0"}
    said = ask(f"ASK\n\npure==1.0 --hash=sha256:{'0' * 64}\n")
    assert "has another hash" in said.error["text"] and pure.sha256 in said.error["text"] and said.error["line"] == 3
    said = ask(f"ASK\nneeds-set==1.0 --hash=sha256:{next(iter(index._of('needs-set'))).sha256}\n")
    assert "all need one" in said.error["text"] and "generate-hashes" in said.error["hint"]
    said = ask(f"ASK\nidna==3.3 --hash=sha256:{'0' * 64}\n")          # not the set's
    assert said.error and "idna==3.3" in said.error["text"] and "9.1" in said.error["hint"]


ERRORS = {
    "only-source": ("only-source comes as source alone (only-source-0.3.tar.gz), without a wheel", "pip wheel --no-deps only-source==0.3"),
    "was-wheel==2.0": ("was-wheel==2.0 comes as source alone", "was-wheel==1.5"),
    "elsewhere": ("elsewhere has no wheel for Python 3.11", "elsewhere-1.0-cp311-cp311-win_amd64.whl"),
    "no-such-thing": ("has no package no-such-thing", "check the name"),
    "beautifulsop4": ("has no package beautifulsop4", "did you mean 'beautifulsoup4'?"),
    "bs4": ("has no package bs4", "the package is 'beautifulsoup4'"),
    "fastapi==0.92.0\nfastapi==0.110": ("no fastapi is all that is asked for: fastapi==0.92.0 (requirements.txt:2); fastapi==0.110 (requirements.txt:3)",
                                       "loosen or remove one of them"),
    "pure==1.0\nold-pure\npure>=2": ("contradict one another: pure==1.0, pure>=2", "\n    "),
    "old-pure\nnew-pure": ("the requirements contradict one another", "pure"),
    "fastapi==0.100": ("has no fastapi==0.100; the package set debian-12 has fastapi 0.92.0", "it has 0.110.0"),
}


@pytest.mark.parametrize("lines", ERRORS)
def test_what_cannot_be_installed_says_why_and_what_to_do(ask, lines):
    said = ask(f"ASK\n{lines}\n")
    text, hint = ERRORS[lines]
    assert said.error, said.done
    assert text in said.error["text"] and hint in said.error["hint"], said.error
    assert said.error["file"] == "requirements.txt" and said.error["line"] in (2, 3, 4), said.error
    assert said.error["inputs"], said.error


def ran(tmp_path):
    """A file that is there when a source distribution was built, and what makes it."""
    mark = tmp_path / "was-run"
    code = f"open({str(mark)!r}, 'w').close()\n"
    return mark, {"setup.py": code, "back.py": code, "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'back'\nbackend-path = ['.']\n"}


def test_nothing_that_an_index_has_is_run_here(ask, index, tmp_path):
    mark, files = ran(tmp_path)
    source = index.add(sdist("evil", "1.0", files))
    for name, need in (("by-address", f"evil @ {index.origin}/files/{source.filename}"), ("by-git", f"evil @ git+{index.origin}/evil.git")):
        index.add(wheel(name, "1.0", {f"{name}.py": ""}, requires=[need]))
        said = ask(f"ASK\n{name}\n")
        assert not mark.exists() and said.error and "evil" in said.error["text"] and "be built" in said.error["text"], said.error["detail"]
        assert "wheel" in said.error["hint"]


def test_nothing_that_a_project_has_is_run_here(ask, index, tmp_path):
    mark, files = ran(tmp_path)
    index.add(sdist("evil", "1.0", files))
    index.add(wheel("good", "1.0", {"good.py": ""}))
    good = f"good @ {index.origin}/files/good-1.0-py3-none-any.whl?\\n--no-binary=:all:"
    for text in (f'[project]\ndependencies = ["evil", "{good}"]\n[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n',
                 f'[project]\ndependencies = ["evil"]\n[[tool.uv.index]]\nurl = "{index.url} --no-binary=:all:"\ndefault = true\n',
                 f'[project]\ndependencies = ["evil"]\n[tool.uv]\nindex-url = "{index.url}"\nextra-index-url = ["{index.url}\\n--no-binary=:all:"]\n',
                 f'[project]\ndependencies = ["evil"]\n[tool.uv]\nindex-url = "{index.url}"\nfind-links = ["{index.url} --no-binary=:all:"]\n'):
        said = ask({"pyproject.toml": text})
        assert not mark.exists() and said.error and "address" in said.error["text"], said.error
    os.unlink(tmp_path / "pyproject.toml")
    info = "python_modules/x-1.dist-info/"
    for metadata in ("Name: x\nVersion: 1\n --no-binary=:all:\n", "Name: x\n --no-binary=:all:\nVersion: 1\n",
                     "Name: x\nVersion: 1/../../../../../out\n"):
        said = ask({"requirements.txt": "ASK\nevil\npure\n", info + "METADATA": "Metadata-Version: 2.1\n" + metadata})
        assert not mark.exists() and said.error and "evil" in said.error["text"], said.error


def test_an_index_that_fails(ask, index):
    for fault, name, says in (("login", "locked", "answered 401"), ("hang-up", "silent", "cannot be reached"), ("error", "broken", "500")):
        index.add(wheel(name, "1.0", {}))
        index.faults[name] = fault
        said = ask(f"ASK\n{name}\n", env={"PIP_RETRIES": "0"})
        assert says in said.error["text"] + said.error["hint"], said.error
    index.add(wheel("bad-bytes", "1.0", {}))
    index.faults["bad_bytes-1.0-py3-none-any.whl"] = "wrong-hash"
    said = ask("ASK\nbad-bytes\n")
    assert "has another hash" in said.error["text"], said.error


def test_the_size_is_limited_and_the_biggest_are_named(ask, tmp_path):
    said = ask("ASK\nlarge\npure\n", more={"limit_bytes": 2 << 20})
    assert "the packages are larger than 2 MiB" in said.error["text"] and "large" in said.error["hint"] and "3.0 MiB" in said.error["hint"]
    assert [name for name in os.listdir(tmp_path / "state") if not name.startswith(".lock")] == []


def test_passwords_of_addresses_are_shown_to_nobody(ask, index):
    said = ask(f"pure==1.0\nno-such-thing\n--index-url {index.url.replace('//', '//me:secret@')}\n")
    assert said.error and "secret" not in json.dumps([said.error, said.progress, said.warnings]), said.error
    assert "secret" not in said.stderr


# ---- python_modules ----


def unpacked(*wheels):
    import io
    import zipfile
    files = {}
    for one in wheels:
        with zipfile.ZipFile(io.BytesIO(one.data)) as archive:
            files.update({"python_modules/" + name: archive.read(name) for name in archive.namelist()})
    return files


def test_what_lies_ready_counts_as_installed(ask):
    files = unpacked(wheel("pure", "1.0", {"pure.py": ""}), wheel("ready", "5.0", {"ready.py": ""}, requires=["idna", "unknown-thing"]))
    said = ask({**files, "requirements.txt": "pure\nready>=5\n"})
    assert list(said.versions) == ["idna"] and said.done["left_out"] == []
    said = ask({"requirements.txt": "ASK\nneeds-set\nready\n"})
    assert said.versions["needs-set"] == "1.0" and "pure" not in said.versions
    said = ask({"requirements.txt": "fastapi\npure==2.0\n"})
    assert "python_modules/ has pure 1.0, which goes first" in said.error["text"] and said.error["line"] == 2


def test_wheels_for_webassembly_count_as_not_there(ask):
    files = unpacked(wheel("numpy", "9.9", {"numpy/__init__.py": "", "numpy/core.so": b"\0asm"}, tag=WASM), wheel("pure", "1.0", {"pure.py": ""}))
    said = ask({**files, "requirements.txt": "numpy\npure\n"})
    assert said.versions["numpy"] != "9.9" and said.done["left_out"] == ["python_modules/numpy", "python_modules/numpy-9.9.dist-info"]
    assert "numpy 9.9 for WebAssembly" in said.warnings[0]["text"]
    said = ask({"requirements.txt": "pure\n"})
    assert said.done["left_out"] and "name numpy in requirements.txt" in said.warnings[0]["hint"]


def test_wheels_of_another_python_or_system_count_as_not_there(ask, tmp_path):
    others = {"cp312-cp312-manylinux_2_17_x86_64": True, "cp311-cp311-macosx_11_0_arm64": True, "cp311-cp311-win_amd64": True,
              "cp38-abi3-manylinux_2_17_%s" % os.uname().machine: False, "cp312-none-any": False, "py2.py3-none-any": False}
    for tag, is_foreign in others.items():
        for path, content in unpacked(wheel("numpy", "9.9", {"numpy/__init__.py": ""}, tag=tag)).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        assert ready.find(str(tmp_path / "python_modules"))["numpy"].made_for == (tag if is_foreign else ""), tag
    tag = next(iter(others))
    said = ask({**unpacked(wheel("numpy", "9.9", {"numpy/__init__.py": ""}, tag=tag)), "requirements.txt": "numpy\n"})
    assert said.done["left_out"] and "numpy" in said.versions
    assert f"numpy 9.9 for {tag}, and this machine runs Python 3." in said.warnings[0]["text"]


# ---- a project that is served ----

ENTRY = """\
import sys
from js import Response
import %s as module

async def on_fetch(request, env):
    return Response.new(f"%s {module.version}")
"""


def test_a_served_project_follows_what_it_asks_for(corral, index):
    one = corral({"src/entry.py": ENTRY % ("pure", "one"), "requirements.txt": "-r more/base.txt\n", "more/base.txt": f"--index-url {index.url}\npure==1.0\n"})
    assert one.get().text == "one 1.0"
    one.wait_log(r"inf\] Installing pure==1.0 from http://127\.0\.0\.1:\d+/simple/ with (uv|pip)")
    asked_before = len(index.requests)
    one.put("src/entry.py", ENTRY % ("pure", "two"))
    until("the change is served", lambda: one.get().text == "two 1.0")
    assert len(index.requests) == asked_before and one.log_text().count("Installing pure") == 1
    one.put("more/base.txt", f"--index-url {index.url}\npure==2.0\n")
    until("the newer version is there", lambda: one.get().text == "two 2.0")
    one.put("more/base.txt", f"--index-url {index.url}\n\npure=2.0\n")
    answer = until("the mistake is shown", lambda: next((a for a in [one.get()] if a.status == 500), None))
    assert "more/base.txt:3: error: 'pure=2.0' is no requirement" in answer.text and "hint: one version is named by two equals signs" in answer.text
    one.wait_log(ERROR + r" ?more/base\.txt:3: error: 'pure=2\.0' is no requirement")
    one.put("more/base.txt", f"--index-url {index.url}\npure==2.0\n")
    until("the mended one is served", lambda: one.get().text == "two 2.0")
    one.put("pyproject.toml", '[project]\nname = "x"\ndependencies = ["needs-set"]\n')
    one.put("src/entry.py", ENTRY % ("needs_set", "three"))
    until("the dependencies of pyproject.toml are there", lambda: one.get().text == "three idna")


def packagers(one):
    found = []
    for process in children(one.pid):
        with contextlib.suppress(OSError):      # it has ended meanwhile
            found += [process] * ("packages" in Path(f"/proc/{process.pid}/cmdline").read_text().split("\0"))
    return found


def test_a_newer_change_ends_a_running_installation(corral, index):
    one = corral({"src/entry.py": ENTRY % ("pure", "one"), "requirements.txt": f"--index-url {index.url}\npure==1.0\n"})
    index.requests.clear()
    one.put("requirements.txt", f"--index-url {index.url}\npure==1.0\nslow\n")
    until("the index is asked for slow", lambda: index.asked("slow"))
    assert one.get().text == "one 1.0"              # served meanwhile
    packager = packagers(one)
    one.put("requirements.txt", f"--index-url {index.url}\npure==2.0\n")
    until("the newest is served", lambda: one.get().text == "one 2.0")
    assert packager and not is_alive(packager[0].pid) and "was stopped" not in one.log_text()


def test_what_is_given_up_leaves_nothing_behind(corral, index, tmp_path):
    """Neither half environments nor what the installer had downloaded, however often somebody saves."""
    one = corral({"src/entry.py": ENTRY % ("pure", "one"), "requirements.txt": f"--index-url {index.url}\npure==1.0\n"}, env={"TMPDIR": str(tmp_path)})
    before, state = set(os.listdir(tmp_path)), Path(one.project) / ".corral/environments"
    for n in range(3):
        index.requests.clear()
        one.put("requirements.txt", f"--index-url {index.url}\npure==2.0\nslow\n" + "\n" * n)
        until("the index is asked for slow", lambda: index.asked("slow"))
        assert len([name for name in os.listdir(state) if name.startswith(".new-")]) == 1
        one.put("requirements.txt", f"--index-url {index.url}\npure==1.0\n" + "\n" * n)
        until("nobody installs any more", lambda: not packagers(one))
    assert set(os.listdir(tmp_path)) <= before | {"project"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_node_is_the_end_of_an_installation(corral, index, number):
    index.requests.clear()
    one = corral({"src/entry.py": ENTRY % ("slow", "one"), "requirements.txt": f"--index-url {index.url}\nslow\n"}, ready=False)
    until("the index is asked", lambda: index.asked("slow"))
    below = descendants(one.pid)
    assert len(below) >= 2
    os.kill(one.pid, number)
    until("all of it ends", lambda: not any(is_alive(p.pid) for p in below))


def test_packages_come_behind_the_project_and_python(corral, index):
    index.add(wheel("backport", "1.0", {"colorsys.py": "1/0\n", "tarfile.py": "1/0\n", "own.py": "1/0\n", "backport.py": "version = '1'\n"}))
    one = corral({"src/entry.py": "import colorsys, tarfile, own\n" + ENTRY % ("backport", "one"), "src/own.py": "",
                  "requirements.txt": f"--index-url {index.url}\nbackport\n"})
    assert one.get().text == "one 1"


def test_packages_that_cannot_be_had_at_first(corral, index):
    one = corral({"src/entry.py": ENTRY % ("pure", "one"), "requirements.txt": f"--index-url {index.url}\npure==7\n"})
    one.wait_log(r"its packages cannot be had yet: mend that and save")
    answer = one.get()
    assert answer.status == 500 and "requirements.txt:2: error: " in answer.text
    one.put("requirements.txt", f"--index-url {index.url}\npure==1.0\n")
    until("it is served", lambda: one.get().text == "one 1.0")


def test_a_list_in_the_wrong_folder_is_told_of(corral):
    one = corral({"src/entry.py": HELLO, "src/requirements.txt": "fastapi\n"})
    assert one.get().status == 200
    one.wait_log(WARNING + r".*src/requirements.txt is not read, and so the worker has no packages\s+hint: move it to requirements.txt")


def test_who_asks_for_nothing_pays_nothing(corral, tmp_path):
    """No packager, no set, no folder; and names of the SDK's own inside are free for modules of the project."""
    one = corral({"src/entry.py": "from js import Response\nimport packager, finder\n\nasync def on_fetch(request):\n"
                                  "    return Response.new(packager.x + finder.x)\n",
                  "src/packager.py": "x = 'own '\n", "src/finder.py": "x = 'names'\n"},
                 env={"CORRAL_PACKAGES": str(tmp_path / "home")})
    assert one.get().text == "own names"
    assert not (tmp_path / "home").exists() and not (Path(one.project) / ".corral/environments").exists()


def test_modules_for_webassembly_are_left_out_of_the_worker(corral):
    files = unpacked(wheel("numpy", "9.9", {"numpy/__init__.py": "version = 'wasm'\n"}, tag=WASM), wheel("pure", "1.0", {"pure.py": "version = 'own'\n"}))
    one = corral({**files, "src/entry.py": ENTRY % ("pure", "one") + "import numpy\nassert numpy.__version__\n", "requirements.txt": "numpy\n"})
    assert one.get().text == "one own"
    one.wait_log(WARNING + r".*numpy 9\.9 for WebAssembly")


# ---- processes ----


def test_several_at_once_and_kills_in_the_middle(ask, index, tmp_path):
    (tmp_path / "requirements.txt").write_text(f"--index-url {index.url}\npure\nslow\n")
    job = {"job": "environment", "home": str(PACKAGES), "project": str(tmp_path), "date": "", "state": str(tmp_path / "state"), "limit_bytes": 1 << 28}
    index.requests.clear()
    with subprocess.Popen([BIN / "corral-worker", "packages"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
        until("the index is asked for slow", lambda: index.asked("slow"))
        installer = children(process.pid)
        assert installer
        process.send_signal(signal.SIGKILL)
    until("pip ends with the packager", lambda: not any(is_alive(p.pid) for p in installer))
    assert [name for name in os.listdir(tmp_path / "state") if name.startswith(".new-")]
    answers = []

    def run():
        answers.append(Job(tmp_path))
    (tmp_path / "requirements.txt").write_text(f"--index-url {index.url}\npure\n")
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one.done and one.versions == {"pure": "2.0"} for one in answers) and len({one.done["hash"] for one in answers}) == 1
    assert sorted(os.listdir(tmp_path / "state")) == [".lock", os.path.basename(answers[0].done["environment"])]


def test_old_environments_are_swept_and_those_in_use_stay(ask, tmp_path):
    import fcntl
    folders = []
    for n in range(6):          # the first one is the oldest
        folders.append(tmp_path / "state" / (str(n) * 32))
        (folders[n] / "packages").mkdir(parents=True)
        (folders[n] / "environment.json").write_text("{}")
        os.utime(folders[n] / "environment.json", (1000 + n, 1000 + n))
    (tmp_path / "state/.new-1/venv").mkdir(parents=True)
    held = os.open(folders[0], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    made = ask("ASK\npure==1.0\n").done["environment"]
    os.close(held)
    left = {str(tmp_path / "state" / name) for name in os.listdir(tmp_path / "state")}
    assert left == {str(tmp_path / "state/.lock"), made, *map(str, [folders[0], *folders[3:]])}


def test_the_user_s_settings_of_pip_and_uv(ask, index, tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nno-index = true\ntarget = /tmp/nowhere\n")
    said = ask("pure\n", env={"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_INDEX_URL": index.url, "PIP_TARGET": "/tmp/nowhere",
                              "PYTHONPATH": "/nowhere", "PIP_NO_BINARY": ":all:"})
    assert said.versions == {"pure": "2.0"}
    assert ask("pure==1.0\n", env={"UV_INDEX_URL": index.url}).versions == {"pure": "1.0"}


FAKE_UV = """\
#!/bin/sh
echo "$@" >%(log)s
while [ "$1" != -r ]; do [ "$1" = --python ] && python=$2; shift; done
echo 'Resolved 1 package in 1ms' >&2
exec "$python" -I /usr/lib/python3/dist-packages/pip/__pip-runner__.py install --no-deps --no-compile -r "$2"
"""


def test_uv_goes_before_pip(ask, index, tmp_path):
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin/uv"
    uv.write_text(FAKE_UV % {"log": tmp_path / "said"})
    uv.chmod(0o755)
    said = ask("ASK\nold-pure\n", env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    assert "old-pure" in said.versions and "with uv" in said.progress[0] and "Resolved 1 package in 1ms" in said.progress
    words = (tmp_path / "said").read_text().split()
    assert words[:2] == ["pip", "install"] and {"--no-config", "--require-hashes", "--only-binary", "--link-mode"} - set(words) == {"--require-hashes"}
