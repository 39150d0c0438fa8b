"""Index pages are read and wheels unpacked: sdk/python/corral/{index,zipped,wheel}.py, as plain Python, with strangers' input."""
import io
import json
import random
import sys
import time
import zipfile
from pathlib import Path

import pytest
import wheelwright

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk/python"))
from corral import index, wheel, zipped                 # noqa: E402

SIMPLE = "application/vnd.pypi.simple.v1+json"
URL = "https://example.org/simple/foo/"
SHA = "ab" * 32


# ---- index pages ----


def html(*links, head=""):
    return f"<!DOCTYPE html><html><head>{head}</head><body>{''.join(links)}</body></html>".encode()


def read(body, kind="text/html", url=URL, project="foo"):
    return index.parse(body if isinstance(body, bytes) else json.dumps(body).encode(), kind, url, project)


def test_html_links():
    files = read(html('<!-- <a href="foo-0-py3-none-any.whl">x</a> -->',
                      f'<a href="../../files/foo-1.0-py3-none-any.whl#sha256={SHA.upper()}" data-requires-python="&gt;=3.7">foo</a>',
                      "<A\nclass=x HREF='foo-2.0.tar.gz?a=1&amp;b=2' data-yanked >foo</A>", '<a href=foo-3.0-py3-none-any.whl data-yanked="broken"/>',
                      '<a href="https://cdn/foo-4-py2.py3-none-any.whl" data-dist-info-metadata="true" data-core-metadata="sha256=' + SHA + '">',
                      '<a href="bar-1.0-py3-none-any.whl">', "<abbr href='foo-9-py3-none-any.whl'>", "<a>", '<a href="/">up</a>', '<a href="http://[">',
                      '<a href="javascript:foo-1-py3-none-any.whl">', '<a href="foo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl" data-requires-python=">=3.8">',
                      '<a href="foo-x.y-py3-none-any.whl">', '<a href="foo-1.1-1-py3-none-any.whl">', '<a href="FOO-1%2E2-py3-none-any.whl">'))
    assert [file.name for file in files] == [
        "foo-1.0-py3-none-any.whl", "foo-2.0.tar.gz", "foo-3.0-py3-none-any.whl", "foo-4-py2.py3-none-any.whl",
        "foo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "foo-1.1-1-py3-none-any.whl", "FOO-1.2-py3-none-any.whl"]
    one, source, yanked, far, native, _, _ = files
    assert (one.url, one.hashes, one.requires_python, one.yanked, one.kind) == (
        "https://example.org/files/foo-1.0-py3-none-any.whl", {"sha256": SHA}, ">=3.7", False, "wheel")
    assert (source.kind, source.url, source.yanked, str(source.version)) == ("sdist", URL + "foo-2.0.tar.gz?a=1&b=2", True, "2.0")
    assert yanked.yanked == "broken" and far.metadata == {"sha256": SHA} and far.url.startswith("https://cdn/")
    assert native.requires_python == ">=3.8" and native.metadata is False
    based = read(html('<base href="https://mirror/x/">', '<a href="foo-1.0-py3-none-any.whl">'))
    assert based[0].url == "https://mirror/x/foo-1.0-py3-none-any.whl"
    assert read(html(head='<meta name="pypi:repository-version" content="1.0">')) == []
    assert read(html(head="<title>Links for foo</title>")) == []


def test_json_pages():
    page = {"meta": {"api-version": "1.1"}, "name": "foo", "files": [
        {"filename": "foo-1.0-py3-none-any.whl", "url": "../foo-1.0-py3-none-any.whl", "hashes": {"sha256": SHA, "md5": "zz", "sha512": 7},
         "requires-python": ">=3.7", "yanked": False, "core-metadata": {"sha256": SHA}, "size": 12},
        {"filename": "foo-1.1.zip", "url": "http://x/foo-1.1.zip", "hashes": {}, "yanked": "bad", "size": -1, "dist-info-metadata": True},
        {"filename": "foo-1.2-py3-none-any.whl", "url": 5}, {"filename": ["foo"], "url": "x"}, 7, None,
        {"filename": "foo-1.3-py3-none-any.whl", "url": "file:///etc/foo-1.3-py3-none-any.whl"},
        {"filename": "evil-1.3-py3-none-any.whl", "url": "x"}, {"filename": "foo-1.4.exe", "url": "x"},
        {"filename": "foo-1.5-py3-none-any.whl", "url": "x", "yanked": True, "requires-python": None, "hashes": None, "size": 1.5}]}
    one, source, bare = read(page, SIMPLE)
    assert (one.url, one.hashes, one.requires_python, one.yanked, one.metadata, one.size) == (
        "https://example.org/simple/foo-1.0-py3-none-any.whl", {"sha256": SHA}, ">=3.7", False, {"sha256": SHA}, 12)
    assert (source.kind, source.yanked, source.size, source.metadata) == ("sdist", "bad", None, True)
    assert (bare.yanked, bare.requires_python, bare.hashes, bare.size) == (True, "", {}, None)
    older = {"info": {"name": "foo"}, "releases": {"1.0": [{"filename": "foo-1.0-py3-none-any.whl", "url": "http://x/foo-1.0-py3-none-any.whl",
             "digests": {"sha256": SHA}, "yanked": True, "yanked_reason": "oops", "requires_python": ">3"}], "2.0": None, "3.0": [None]}}
    one, = read(older, "application/json; charset=utf-8")
    assert (one.hashes, one.yanked, one.requires_python) == ({"sha256": SHA}, "oops", ">3")


@pytest.mark.parametrize("body, kind, said", [
    (b"<html><body>Please log in</body></html>", "text/html", "HTML without a link to a wheel"),
    (b"", "text/html", "HTML without a link"),
    (b'<a href="foo-1-py3-none-any.whl', "text/html", "does not end"),
    (b"<a " * 50, "text/html", "does not end"),
    (b"<a " + b"x " * 20000 + b">", "text/html", "does not end"),
    (b"{", SIMPLE, "called JSON and is not"),
    (b"[" * 100000, SIMPLE, "called JSON and is not"),
    (b"1" * 100000, SIMPLE, "called JSON and is not"),
    (b"[]", SIMPLE, "no page of a package index"),
    (b"{}", SIMPLE, "neither 'files' nor 'releases'"),
    (b'{"files": {}}', SIMPLE, "neither"),
    (b'{"files": [], "meta": {"api-version": "2.0"}}', SIMPLE, "version '2.0'"),
    (b"\xff\xfe", SIMPLE, "no text in utf-8"),
    (b"hello", "text/plain", "'text/plain', where"),
    (b"hello", "", "without a content type"),
    (b" " * (index.PAGE_MAX + 1), "text/html", "more than 32 MiB"),
    (b"<a>" * (2 * index.FILES_MAX + 1), "text/html", "links"),
])
def test_refuses_what_is_no_page(body, kind, said):
    with pytest.raises(index.PageError) as e:
        read(body, kind)
    assert said in str(e.value) and len(str(e.value)) < 300


def test_hostile_pages_cost_little():
    start = time.process_time()
    for body in (b"<" * (4 << 20), b"<!--" * (1 << 20), b"<a x='" * (1 << 20), b"<a href=" * (1 << 19), b"<a href=a/b>" * 190_000 + html(),
                 b"<a  " + b" " * (4 << 20), b"&" * (4 << 20), b"<base href='" + b"a" * 10_000 + b"'>" * 3):
        try:
            read(body)
        except index.PageError:
            pass
    names = ["foo-1-" + ".".join(["py3"] * 60) + "-" + ".".join(["none"] * 60) + "-" + ".".join(["any"] * 60) + ".whl"] * 2000
    assert len(read({"files": [{"filename": name, "url": name} for name in names]}, SIMPLE)) == 2000
    assert wheel.rank(names[0]) is None
    assert time.process_time() - start < 20
    with pytest.raises(index.PageError):
        read({"files": [{"filename": "foo-1-py3-none-any.whl", "url": "x"}] * (index.FILES_MAX + 1)}, SIMPLE)


def test_project_addresses():
    assert index.project_url("https://index.example/simple", "Foo.Bar") == "https://index.example/simple/foo-bar/"
    assert index.project_url("https://index.example/simple/", "foo") == "https://index.example/simple/foo/"
    assert index.project_url("https://index.example/pypi/{package_name}/json", "Foo_x") == "https://index.example/pypi/foo-x/json"
    assert index.project_url("https://x/simple?token=1", "foo") == "https://x/simple/foo/?token=1"


# ---- names and tags ----


def test_the_best_wheel():
    names = ["a-1-py3-none-any.whl", "a-1-py2.py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
             "a-1-cp311-cp311-win_amd64.whl", "a-1-cp37-abi3-manylinux_2_5_x86_64.whl", "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
             "a-1-cp311-cp311-pyodide_2024_0_wasm32.whl", "a-1-py311-none-any.whl", "a-1-cp311-none-any.whl"]
    fits = [name for name in names if wheel.rank(name) is not None]
    assert fits == [names[i] for i in (0, 1, 2, 4, 7, 8)]
    order = sorted(fits, key=wheel.rank)
    assert order[:2] == [names[2], names[4]] and set(order[-2:]) == {names[0], names[1]} and order.index(names[8]) < order.index(names[7])
    assert wheel.best(names, key=str) == names[2]
    builds = ["a-1-1-py3-none-any.whl", "a-1-10b-py3-none-any.whl", "a-1-10a-py3-none-any.whl", "a-1-py3-none-any.whl"]
    assert sorted(builds, key=wheel.rank) == [builds[1], builds[2], builds[0], builds[3]]
    assert wheel.best(["a-1-cp311-cp311-win_amd64.whl", "nonsense"], key=str) is None
    assert wheel.why_unfit("a-1-cp311-cp311-win_amd64.whl") == "for win_amd64"
    assert wheel.why_unfit(names[6]) == "for pyodide_2024_0_wasm32" and wheel.why_unfit(names[5]) == "for cp312-manylinux_2_17_x86_64"
    assert wheel.why_unfit("a-1-py2-none-any.whl") == "for py2" and wheel.why_unfit(names[0]) == ""


@pytest.mark.parametrize("name", ["", "a.whl", "a-1.whl", "a-1-py3-none.whl", "-1-py3-none-any.whl", "a-x-py3-none-any.whl", "a-1-x-py3-none-any.whl",
                                  "a/b-1-py3-none-any.whl", "a-1-py3-none-\x1b[2J.whl", "a-1-py3-nöne-any.whl", "a-1-py3-none-any.whl.zip", "../a-1-py3-none-any.whl", "a" * 2000 + "-1-py3-none-any.whl"])
def test_refuses_what_is_no_name(name):
    with pytest.raises(wheel.WheelError):
        wheel.parse_name(name)


def test_metadata():
    said = wheel.Metadata.parse(b"\xef\xbb\xbfMetadata-Version: 2.1\r\nNAME: Foo\r\nVersion: 1.0\r\nRequires-Dist: a>1;\r\n  python_version>'3'\r\n"
                                b"requires-dist: b\r\nnonsense\r\n goes on\r\nProvides-Extra: x\r\nRequires-Python: >=3.7\r\n\r\nRequires-Dist: not-this\r\n")
    assert said == wheel.Metadata("Foo", "1.0", ("a>1; python_version>'3'", "b"), ">=3.7", ("x",))
    for bad in (b"", b"Name: x\n", b"Version: 1\n", b"\n\nbody", b"Name: x\nVersion: 1\n" + b"A: b\n" * 10001):
        with pytest.raises(wheel.WheelError):
            wheel.Metadata.parse(bad)


# ---- contents ----


def unpack(data, name="foo-1.0-py3-none-any.whl", **how):
    return dict(wheel.Wheel(data, name).files(**how))


def test_a_good_wheel():
    files = wheelwright.contents("foo", "1.0", {
        "foo/__init__.py": "x = 1\n", "foo/data/a b.txt": b"\0\1", "foo/ünï.txt": "ü", "foo/empty.py": "", "foo-1.0.data/purelib/more/__init__.py": "y = 2\n",
        "foo-1.0.data/platlib/plat.py": "", "foo-1.0.data/scripts/run": "#!python -E\nprint()\n", "foo-1.0.data/scripts/raw": "#!/bin/sh\n",
        "foo-1.0.data/data/share/foo.conf": "c", "foo-1.0.data/headers/foo.h": "h"},
        requires=["bar>1"], entry_points="[console_scripts]\nfoo = foo:main\n")
    with_folders = [("foo/", b""), *files.items()]
    opened = wheel.Wheel(wheelwright.zipped(with_folders), "foo-1.0-py3-none-any.whl")
    assert opened.metadata.requires == ("bar>1",) and "foo:main" in opened.read("entry_points.txt") and opened.read("none") == ""
    got = dict(opened.files("corral", {"NOTE": b"n"}))
    assert got["foo/__init__.py"] == b"x = 1\n" and got["foo/ünï.txt"] == "ü".encode() and got["foo/data/a b.txt"] == b"\0\1"
    assert got["more/__init__.py"] == b"y = 2\n" and got["plat.py"] == b"" and got["bin/run"] == b"#!/usr/bin/env python3 -E\nprint()\n"
    assert got["bin/raw"] == b"#!/bin/sh\n" and got["share/foo.conf"] == b"c" and got["include/foo/foo.h"] == b"h"
    assert got["foo-1.0.dist-info/INSTALLER"] == b"corral\n" and got["foo-1.0.dist-info/NOTE"] == b"n"
    assert not any(".data/" in path for path in got)
    record = got["foo-1.0.dist-info/RECORD"].decode()
    assert list(got)[-1] == "foo-1.0.dist-info/RECORD"
    assert sorted(line.rsplit(",", 2)[0] for line in record.splitlines()) == sorted(got)
    for path, data in got.items():
        assert path.endswith("/RECORD") or wheelwright.record_line(path, data) in record


def test_other_forms_of_good_wheels():
    plain = wheelwright.contents("foo", "1.0")
    assert unpack(wheelwright.zipped(plain, zipfile.ZIP_STORED))["foo.py"]
    assert wheel.Wheel(wheelwright.wheel("Foo-Bar", "1.0+local.1")[1], "foo_bar-1.0+local.1-py3-none-any.whl").name.project == "foo-bar"
    assert "foo.py" in unpack(wheelwright.zipped(wheelwright.contents("Foo", "1.0.0", {"foo.py": ""})))
    streamed = io.BytesIO()

    class NoSeek(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return streamed.write(data)

    with zipfile.ZipFile(NoSeek(), "w", zipfile.ZIP_DEFLATED) as archive:       # with data descriptors
        for path, data in plain.items():
            archive.writestr(path, data)
    assert unpack(streamed.getvalue())["foo.py"]
    wide = io.BytesIO()
    with zipfile.ZipFile(wide, "w") as archive:
        for path, data in plain.items():
            with archive.open(path, "w", force_zip64=True) as f:
                f.write(data)
    assert unpack(wide.getvalue())["foo.py"]
    replaced = dict(plain, **{"foo-1.0.dist-info/INSTALLER": b"pip\n", "foo-1.0.dist-info/direct_url.json": b"{}"})
    replaced["foo-1.0.dist-info/RECORD"] += "".join(wheelwright.record_line(p, replaced[p]) for p in list(replaced)[-2:]).encode()
    got = unpack(wheelwright.zipped(replaced), installer="me")
    assert got["foo-1.0.dist-info/INSTALLER"] == b"me\n" and "foo-1.0.dist-info/direct_url.json" not in got


def _bad(change):
    files = wheelwright.contents("foo", "1.0")
    change(files)
    return wheelwright.zipped(files)


INFO = "foo-1.0.dist-info/"


@pytest.mark.parametrize("change, said", [
    (lambda f: f.update({"foo.py": b"changed"}), "not what its RECORD says"),
    (lambda f: f.update({"extra.py": b""}), "RECORD has no hash of 'extra.py'"),
    (lambda f: f.pop(INFO + "RECORD"), "has no foo-1.0.dist-info/RECORD"),
    (lambda f: f.pop(INFO + "METADATA"), "has no foo-1.0.dist-info/METADATA"),
    (lambda f: f.pop(INFO + "WHEEL"), "has no foo-1.0.dist-info/WHEEL"),
    (lambda f: f.update({INFO + "WHEEL": b"Wheel-Version: 2.0\n"}), "version '2.0'"),
    (lambda f: f.update({INFO + "WHEEL": b""}), "version ''"),
    (lambda f: f.update({INFO + "METADATA": b"Name: bar\nVersion: 1.0\n"}), "METADATA is of 'bar' '1.0'"),
    (lambda f: f.update({INFO + "METADATA": b"Name: foo\nVersion: 2.0\n"}), "METADATA is of 'foo' '2.0'"),
    (lambda f: f.update({INFO + "METADATA": b"Name: foo\nVersion: nonsense\n"}), "METADATA is of"),
    (lambda f: f.update({INFO + "RECORD": b"\xff"}), "cannot be read"),
    (lambda f: f.update({INFO + "RECORD": b'"foo.py\0"\n"'}), "RECORD"),
    (lambda f: f.update({INFO + "RECORD": b"foo.py,md5=abc,1\n"}), "md5"),
    (lambda f: f.update({INFO + "RECORD": b"x" * (5 << 20)}), "more than 4 MiB"),
    (lambda f: f.update({"bar-1.0.dist-info/METADATA": b""}), "2 folders *.dist-info"),
    (lambda f: f.update({"foo-1.0.DIST-INFO/METADATA": b""}), "2 folders *.dist-info"),
    (lambda f: f.update({INFO + "metadata": b""}), "upper and lower case"),
    (lambda f: f.update({"Foo-1.0.data/purelib/x.py": b""}), "upper and lower case"),
    (lambda f: [f.pop(path) for path in list(f) if path.startswith(INFO)], "0 folders *.dist-info"),
])
def test_refuses_wheels_that_contradict_themselves(change, said):
    with pytest.raises(wheel.WheelError) as e:
        unpack(_bad(change))
    assert said in str(e.value)


def test_refuses_to_place_two_files_at_one_path():
    for files in ({"foo.py": "", "foo-1.0.data/purelib/foo.py": "x"}, {"a": "", "foo-1.0.data/data/a/b": ""}, {"a/b": "", "foo-1.0.data/data/a": ""},
                  {"foo-1.0.data/platlib/x": "", "foo-1.0.data/purelib/x": ""}, {"foo-1.0.data/purelib/foo-1.0.dist-info/METADATA": ""},
                  {"foo-1.0.data/purelib/foo-1.0.dist-info/INSTALLER": ""}):
        with pytest.raises(wheel.WheelError, match="two of its files are installed as"):
            unpack(wheelwright.zipped(wheelwright.contents("foo", "1.0", files)), installer="x")
    for path in ("foo-1.0.data/evil/x", "foo-1.0.data/purelib"):
        with pytest.raises(wheel.WheelError, match="an installer knows"):
            unpack(wheelwright.zipped(wheelwright.contents("foo", "1.0", {path: ""})))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a/..", "..", ".", "a/./b", "a//b", "//x", "C:/x", "c:x", "a\\b", "..\\x", "a\nb", "a\x7fb",
                                  "\x1b[2J", "x" * 256, "d/" * 64 + "x", "/".join(["y" * 200] * 6), "ü" * 128, "foo-1.0.data/purelib/../../x", "foo-1.0.data/data//etc/x"])
def test_refuses_paths(path):
    with pytest.raises(zipped.ZipError):
        zipped.entries(wheelwright.raw_zip([{"path": path}]))


@pytest.mark.parametrize("entries, said", [
    ([{"path": "a\0b"}], "control characters"),
    ([{"path": b"\xff\xfe", "flags": 0x800}], "not in UTF-8"),
    ([{"path": ""}], "a path of 0"),
    ([{"path": "a"}, {"path": "a"}], "twice"),
    ([{"path": "a"}, {"path": "a/b"}], "twice"),
    ([{"path": "a/b"}, {"path": "a"}], "twice"),
    ([{"path": "a"}, {"path": "a/", "mode": 0o40755}], "twice"),
    ([{"path": "a/", "mode": 0o40755}, {"path": "a"}], "twice"),
    ([{"path": "a", "mode": 0o120777, "data": b"/etc/passwd"}], "symbolic link"),
    ([{"path": "a", "mode": 0o20666}], "is no file"),
    ([{"path": "a/", "mode": 0o100644}], "both a file and a folder"),
    ([{"path": "a", "mode": 0o40755}], "both a file and a folder"),
    ([{"path": "a/", "mode": 0o40755, "data": b"abc"}], "has bytes in it"),
    ([{"path": "a", "flags": 1}], "encrypted"),
    ([{"path": "a", "flags": 0x40}], "encrypted"),
    ([{"path": "a", "method": 12}], "method 12"),
    ([{"path": "a", "method": 14}], "method 14"),
    ([{"path": "a", "method": 99}], "method 99"),
    ([{"path": "a", "size": 5}], "damaged"),
    ([{"path": "a", "data": b"x" * 100}, {"path": "b", "data": b"x" * 100, "offset": 10}], "overlap"),
    ([{"path": "a", "data": b"x", "offset": 10_000}], "cut short"),
    ([{"path": "a", "method": 8, "raw": b"x" * 100, "size": 600 << 20}], "MiB that are unpacked at most"),
    ([{"path": f"a{i}", "method": 8, "raw": b"x", "size": 200 << 20} for i in range(3)], "MiB that are unpacked at most"),
    ([{"path": "a", "method": 8, "raw": b"x" * 1000, "size": 17 << 20}], "100 times"),
])
def test_refuses_entries(entries, said):
    with pytest.raises(zipped.ZipError) as e:
        zipped.entries(wheelwright.raw_zip(entries))
    assert said in str(e.value)


@pytest.mark.parametrize("entry, said", [
    ({"local_path": b"b"}, "called otherwise"),
    ({"data": b"abc", "crc": 1}, "damaged"),
    ({"data": b"abc", "method": 8, "crc": 1}, "damaged"),
    ({"data": b"abc" * 100, "method": 8, "size": 5}, "not as long"),
    ({"data": b"abc" * 100, "method": 8, "size": 500}, "not as long"),
    ({"method": 8, "raw": b"\xff" * 50, "size": 50}, "damaged"),
    ({"method": 8, "raw": b"", "size": 50}, "damaged"),
    ({"data": b"abc" * 100, "method": 8, "packed": 5}, "damaged"),
])
def test_refuses_contents(entry, said):
    data = wheelwright.raw_zip([{"path": "a", **entry}])
    with pytest.raises(zipped.ZipError) as e:
        zipped.read(data, zipped.entries(data)[0])
    assert said in str(e.value)


def test_refuses_archives():
    good = wheelwright.wheel("foo", "1.0")[1]
    for cut in range(0, len(good), 7):
        with pytest.raises(wheel.WheelError):
            unpack(good[:cut])
    for data, said in ((good + b"x", "behind the archive's end"), (b"x" + good, "damaged"), (b"", "no zip"), (b"PK\3\4" + bytes(100), "cut short"),
                       (wheelwright.raw_zip([{"path": "a"}], count=2), "damaged"), (wheelwright.raw_zip([{"path": "a"}], count=0), "damaged"),
                       (wheelwright.raw_zip([{"path": f"{i}"} for i in range(50_001)]), "50001 files"), (b"<html>" * 100, "no zip")):
        with pytest.raises(zipped.ZipError) as e:
            zipped.entries(data)
        assert said in str(e.value)


def test_a_bomb_costs_nothing():
    data = wheelwright.bomb("foo", "1.0", 64 << 20)
    start = time.process_time()
    with pytest.raises(wheel.WheelError, match="more than 100 times"):
        wheel.Wheel(data, "foo-1.0-py3-none-any.whl")
    assert time.process_time() - start < 1


def test_damage_is_always_a_wheel_error():
    good = wheelwright.wheel("foo", "1.0", {"foo/__init__.py": "x" * 500, "foo/b.py": "", "foo-1.0.data/scripts/x": "#!python\n"})[1]
    chance = random.Random(6)
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(chance.choice([1, 1, 2, 5])):
            data[chance.randrange(len(data))] = chance.choice([0, 1, 0xff, chance.randrange(256)])
        if chance.random() < 0.1:
            del data[chance.randrange(len(data)):]
        try:
            unpack(bytes(data))
        except wheel.WheelError:
            pass
