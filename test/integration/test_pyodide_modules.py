"""The modules of the package pyodide where they need servers, the log or the instance; docs/compatibility.md names these tests.

What can be compared with the real Pyodide is in pyodide_cases/ (code, http, wrappers, console, packages).
"""
import importlib.util
import shutil
import textwrap
from pathlib import Path

import pytest

from harness import ROOT, script, until
from origin import Origin

pytestmark = pytest.mark.asan


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


@pytest.fixture
def web(lab, origin):
    """lab.value with U, the origin's address, and pyodide.http's names in scope."""
    while origin.waiting.acquire(blocking=False):
        pass        # a /wait of a test before this one that nobody has asked for

    def value(code, **more):
        names = "from pyodide.http import AbortError, HttpStatusError, open_url, pyfetch, pyxhr\n"
        return lab.value(f"U = {origin.url!r}\n" + names + textwrap.dedent(code), **more)
    return value


# ---- pyodide.http ----


def test_pyfetch_asks_a_server(web):
    assert web("""
        r = await pyfetch(U + "/echo?q=1", method="POST", body=b"\\x00\\xff", headers={"X-Mine": "yes", "Content-Type": "application/a"})
        said = await r.json()
        headers = dict(said["headers"])
        return [r.status, r.ok, r.url == U + "/echo?q=1", r.redirected, r.headers["content-type"], said["method"], said["path"], said["body"],
                headers["x-mine"], headers["content-type"]]
    """) == [200, True, True, False, "application/json", "POST", "/echo?q=1", "\x00\xff", "yes", "application/a"]


def test_pyfetch_follows_redirects_or_not(web):
    assert web("""
        r = await pyfetch(U + "/redirect?code=302&to=/echo")
        manual = await pyfetch(U + "/redirect?code=302&to=/echo", redirect="manual")
        try:
            await pyfetch(U + "/redirect?code=302&to=/echo", redirect="error")
        except OSError as e:
            refused = type(e).__name__
        return [r.redirected, r.url == U + "/echo", manual.status, manual.headers["location"], refused]
    """) == [True, True, 302, "/echo", "AbortError"]


def test_pyfetch_takes_a_request_of_javascript(web):
    assert web("""
        r = await pyfetch(js.Request.new(U + "/echo", method="PUT", body="b"))
        said = await r.json()
        return [said["method"], said["body"], r.js_request.method]
    """) == ["PUT", "b", "PUT"]


def test_raise_for_status_names_the_url(web):
    assert web("""
        r = await pyfetch(U + "/status?code=404")
        try:
            r.raise_for_status()
        except HttpStatusError as e:
            return [e.status, e.status_text, e.url == r.url, str(e) == f"404 Client Error: Not Found for url: {r.url}", isinstance(e, OSError), await r.text()]
    """) == [404, "Not Found", True, True, True, "some text"]


def test_pyfetch_of_a_server_that_is_not_there(web):
    assert web("""
        try:
            await pyfetch("http://127.0.0.1:1/")
        except AbortError as e:
            return isinstance(e, OSError) and len(str(e)) > 10
    """) is True


def test_aborting_a_response_ends_its_connection(web, origin):
    cut = origin.cut
    assert web("""
        r = await pyfetch(U + "/wait?after=head")
        reading = asyncio.ensure_future(r.text())
        await asyncio.sleep(0)
        r.abort("enough")
        try:
            await reading
        except AbortError as e:
            return str(e)
    """) == "enough"
    until("the server has lost its client", lambda: origin.cut > cut)


def test_cancelling_a_task_aborts_its_fetch(web, origin):
    cut = origin.cut
    assert web("""
        task = asyncio.ensure_future(pyfetch(U + "/wait"))
        await pyfetch(U + "/arrived")
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
    """) == "cancelled"
    until("the server has lost its client", lambda: origin.cut > cut)


def test_a_signal_ends_a_connection(web, origin):
    cut = origin.cut
    assert web("""
        controller = js.AbortController.new()
        waiting = asyncio.ensure_future(pyfetch(U + "/wait", signal=controller.signal))
        await pyfetch(U + "/arrived")
        controller.abort("enough")
        try:
            await waiting
        except AbortError as e:
            return str(e)
    """) == "enough"
    until("the server has lost its client", lambda: origin.cut > cut)


def test_signals_abort(web, origin):
    cut, before = origin.cut, len(origin.seen)
    assert web("""
        try:
            await pyfetch(U + "/wait", signal=js.AbortSignal.timeout(50))
        except AbortError as e:
            said = [str(e)]
        controller = js.AbortController.new()
        r = await pyfetch(U + "/echo", signal=controller.signal)
        controller.abort("over")
        try:
            await r.text()
        except AbortError as e:
            said.append(str(e))
        return [len(said[0]) > 0, said[1]]
    """) == [True, "over"]
    # If it ever had one: 50 ms may be over before there is a connection.
    until("the server has lost its client", lambda: origin.cut - cut == sum(path == "/wait" for _, path, _ in origin.seen[before:]))


def test_many_pyfetches_at_once(web):
    assert web("""
        answers = await asyncio.gather(*(pyfetch(U + f"/echo?n={n}") for n in range(20)))
        return [(await a.json())["path"] for a in answers]
    """) == [f"/echo?n={n}" for n in range(20)]


def test_archives_are_unpacked_into_memory(web):
    assert web("""
        import io, os, shutil, zipfile
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a/b.txt", "hello")
        async def fetcher(request, options):
            return js.Response.new(js.Uint8Array.new(list(packed.getvalue())))
        out = []
        for arguments in ({"extract_dir": "/tmp/unpacked"}, {"format": "zip", "extract_dir": "/tmp/unpacked"}):
            r = await pyfetch("https://a.example/b.zip?x=1", fetcher=fetcher)
            await r.unpack_archive(**arguments)
            out.append(open("/tmp/unpacked/a/b.txt").read())
            shutil.rmtree("/tmp/unpacked")
        r = await pyfetch("https://a.example/b.zip?x=1", fetcher=fetcher)
        try:
            await r.unpack_archive(extract_dir="/usr/unpacked")
        except OSError as e:
            out.append([e.errno, e.filename])
        return out + os.listdir("/tmp")
    """) == ["hello", "hello", [30, "/usr/unpacked"]]


def test_archives_are_unpacked(tmp_path):
    """What unpack_archive() does where something can be written: outside of a worker, as yet."""
    spec = importlib.util.spec_from_file_location("_archive", ROOT / "sdk/python/pyodide/http/_archive.py")
    archive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(archive)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("hello")
    for format, name in (("zip", "a.zip"), ("gztar", "b.tar.gz"), ("tar", "c.tar"), ("bztar", "d.tar.bz2"), ("xztar", "e.tar.xz")):
        data = Path(shutil.make_archive(str(tmp_path / name), format, tmp_path / "in")).read_bytes()
        for n, arguments in enumerate(((name, None), ("", format), ("x.unknown", format))):
            archive.unpack(data, *arguments, str(tmp_path / f"{name}.{n}" / "deep"))
            assert (tmp_path / f"{name}.{n}" / "deep/a.txt").read_text() == "hello"
    wheel = Path(shutil.make_archive(str(tmp_path / "w"), "zip", tmp_path / "in")).read_bytes()
    archive.unpack(wheel, "a-1-py3-none-any.whl", None, str(tmp_path / "wheel"))
    assert (tmp_path / "wheel/a.txt").exists()
    shutil.register_unpack_format("strange", [".strange"], lambda file, folder: Path(folder, "b.txt").write_bytes(Path(file).read_bytes()))
    try:
        archive.unpack(b"as it is", "x.strange", None, str(tmp_path / "wheel"))
    finally:
        shutil.unregister_unpack_format("strange")
    assert (tmp_path / "wheel/b.txt").read_bytes() == b"as it is"
    with pytest.raises(shutil.ReadError, match="a.unknown"):
        archive.unpack(b"", "a.unknown", None, str(tmp_path))


def test_data_urls_are_fetched(lab):
    assert script(lab, r"""
        const out = [];
        for (const url of ['data:,', 'data:,a%20b%2', 'data:text/html;charset=x,<b>', 'data:;charset=utf-8,%C3%A4', 'data:text/plain;base64,aGk=', 'data:;base64, aG k',
            'data:nonsense,x', 'DATA:,up', 'data:,a#hash', 'data:text/plain;BASE64,aGk']) {
            const r = await fetch(url);
            out.push([r.status, r.headers.get('content-type'), await r.text()]);
        }
        for (const url of ['data:none', 'data:;base64,a']) {
            try { await fetch(url); } catch (e) { out.push(e.name); }
        }
        const head = await fetch('data:,x', { method: 'HEAD' });
        out.push([head.status, await head.text()]);
        return out;
    """) == [
        [200, "text/plain;charset=US-ASCII", ""], [200, "text/plain;charset=US-ASCII", "a b%2"], [200, "text/html;charset=x", "<b>"],
        [200, "text/plain;charset=utf-8", "ä"], [200, "text/plain", "hi"], [200, "text/plain;charset=US-ASCII", "hi"],
        [200, "text/plain;charset=US-ASCII", "x"], [200, "text/plain;charset=US-ASCII", "up"], [200, "text/plain;charset=US-ASCII", "a"],
        [200, "text/plain", "hi"], "TypeError", "TypeError", [200, ""]]


def test_open_url_blocks_its_caller_alone(web, origin):
    assert web("""
        def plain():
            return open_url(U + "/echo?q=1")
        ticks = []
        async def tick():
            while True:
                ticks.append(1)
                await asyncio.sleep(0.001)
        ticking = asyncio.ensure_future(tick())
        file = plain()
        said = json.loads(file.read())
        waited = len(ticks)
        ticking.cancel()
        return [type(file).__name__, said["method"], said["path"], open_url(U + "/status?code=404").read(), open_url("data:text/plain;charset=latin-1,%E4").read(),
                open_url("data:text/plain,%EF%BB%BFx").read(), waited > 0]
    """.replace("def plain", "import asyncio, json\n        def plain", 1)) == ["StringIO", "GET", "/echo?q=1", "some text", "ä", "x", True]


def test_open_url_of_what_cannot_be_asked(web):
    assert web("""
        out = []
        for url in ("http://127.0.0.1:1/", "no url", ""):
            try:
                open_url(url)
            except OSError as e:
                out.append([type(e).__name__, url in str(e)])
        return out
    """) == [["XHRNetworkError", True], ["XHRError", True], ["XHRError", True]]


def test_pyxhr_has_the_methods_of_http(web):
    assert web("""
        out = []
        for name in ("get", "post", "put", "delete", "head", "patch", "options"):
            r = getattr(pyxhr, name)(U + "/echo", data="the data")
            out.append([name, r.status_code, r.ok, r.text and r.json()["method"], r.text and r.json()["body"]])
        return out
    """) == [["get", 200, True, "GET", ""], ["post", 200, True, "POST", "the data"], ["put", 200, True, "PUT", "the data"], ["delete", 200, True, "DELETE", "the data"],
             ["head", 200, True, "", ""], ["patch", 200, True, "PATCH", "the data"], ["options", 200, True, "OPTIONS", "the data"]]


def test_pyxhr_sends_what_it_is_told(web):
    assert web("""
        def sent(**more):
            said = pyxhr.post(U + more.pop("path", "/echo"), **more).json()
            return said["path"], said["body"], dict(said["headers"])
        path, _, headers = sent(params={"a": 1, "b": "x y"}, headers={"X-N": 5}, auth=("user", "pass"))
        out = [path, headers["x-n"], headers["authorization"], sent(path="/echo?z=1", params={"a": "2"})[0]]
        _, body, headers = sent(json={"k": [1, None]}, headers={"X-A": "1"})
        out += [body, headers["content-type"], headers["x-a"], sent(data=b"\\x00\\xff")[1], sent(json=[])[1]]
        try:
            sent(data={"a": 1})
        except TypeError as e:
            out.append("json=" in str(e))
        return out
    """) == ["/echo?a=1&b=x+y", "5", "Basic dXNlcjpwYXNz", "/echo?z=1&a=2", '{"k": [1, null]}', "application/json", "1", "\x00\xff", "[]", True]


def test_pyxhr_gives_what_came(web):
    assert web("""
        r = pyxhr.get(U + "/redirect?code=302&to=/echo")
        missing = pyxhr.get(U + "/status?code=404")
        try:
            missing.raise_for_status()
        except HttpStatusError as e:
            said = [e.status, e.status_text, e.url]
        r.raise_for_status()
        return [r.url == U + "/echo", r.headers["content-type"], r.content == r.text.encode(), missing.ok, missing.text, said == [404, "Not Found", U + "/status?code=404"],
                pyxhr.get("data:application/a;base64,AP8=").content == b"\\x00\\xff"]
    """) == [True, "application/json", True, False, "some text", True, True]


def test_pyxhr_without_an_answer(web):
    assert web("""
        out = []
        for url in ("http://127.0.0.1:1/", "nowhere"):
            try:
                pyxhr.get(url)
            except pyxhr.XHRError as e:
                out.append([type(e).__name__, isinstance(e, OSError), str(e).startswith("Network error for GET http://127.0.0.1:1/")])
        return out
    """) == [["XHRNetworkError", True, True], ["XHRError", True, False]]


def test_open_url_and_pyxhr_in_threads(web):
    assert web("""
        def ask(n):
            return pyxhr.post(U + "/echo", json=n).json()["body"]
        def fail():
            try:
                open_url("http://127.0.0.1:1/")
            except OSError as e:
                return type(e).__name__
        return [await asyncio.gather(*(asyncio.to_thread(ask, n) for n in range(5))), await asyncio.to_thread(fail)]
    """) == [["0", "1", "2", "3", "4"], "XHRNetworkError"]


def test_xhr_response_takes_what_looks_like_an_xml_http_request(lab):
    assert lab.value("""
        from types import SimpleNamespace
        from pyodide.http.pyxhr import XHRResponse
        xhr = SimpleNamespace(status=299, statusText="x", responseText="ä", responseURL="u", getAllResponseHeaders=lambda: "A: b\\r\\nc:d\\r\\n")
        r, empty = XHRResponse(xhr), XHRResponse(SimpleNamespace(status=400, responseText="", response=None, getAllResponseHeaders=lambda: None))
        return [r.status_code, r.ok, r.text, r.content == "ä".encode(), r.url, r.headers, empty.ok, empty.content == b"", empty.headers, empty.url]
    """) == [299, True, "ä", True, "u", {"a": "b", "c": "d"}, False, True, {}, ""]


# ---- packages ----


def test_pyodide_is_there_before_anybody_imports_it(corral):
    one = corral({"src/entry.py": "import sys\n\nSEEN = 'pyodide' in sys.modules, sys.modules['pyodide'].__version__\n\nfrom js import Response\nimport pyodide\n\n"
                                  "def on_fetch(request):\n    return Response.new(repr([SEEN, pyodide.ffi.__name__, pyodide.http.pyfetch.__name__, 'code' in dir(pyodide)]))\n"})
    assert one.get().text == "[(True, '0.26.0a2'), 'pyodide.ffi', 'pyfetch', True]"


def test_modules_that_cloudflare_lacks_are_there(lab):
    assert lab.value("""
        import importlib, sys
        missing = []
        for name in ("curses dbm fcntl grp lib2to3 pwd resource syslog termios venv multiprocessing threading pty tty "
                     "ctypes sqlite3 ssl lzma bz2 hashlib decimal zoneinfo readline mmap".split()):
            if name == "lib2to3" and sys.version_info >= (3, 13):
                continue
            try:
                importlib.import_module(name)
            except ImportError:
                missing.append(name)
        import platform, sqlite3, threading, zoneinfo
        seen = []
        thread = threading.Thread(target=lambda: seen.append(1))
        thread.start()
        thread.join()
        db = sqlite3.connect(":memory:")
        db.execute("create table t (a)")
        db.executemany("insert into t values (?)", [(1,), (2,)])
        return [missing, seen, db.execute("select sum(a) from t").fetchone()[0], str(zoneinfo.ZoneInfo("Europe/Berlin")), sys.platform, platform.system()]
    """) == [[], [1], 3, "Europe/Berlin", "linux", "Linux"]


# ---- the standard library and the outside ----


def test_the_environment_is_a_worker_s_own(lab):
    assert lab.value("""
        import locale, pathlib, sys
        return [sorted(os.environ), str(pathlib.Path.home()), os.getcwd() == os.path.dirname(os.path.dirname(__file__)) or os.getcwd() in __file__,
                sys.argv, locale.getpreferredencoding().lower(), time.tzname[0], bool(__import__("webbrowser").open("https://example.com"))]
    """.replace("return [", "import os, time\n        return [", 1)) == [["HOME", "LANG", "PATH", "TZ"], "/tmp", True, [""], "utf-8", "UTC", False]


def test_temporary_files_are_in_memory(lab):
    assert lab.value("""
        import os, tempfile
        out = [tempfile.gettempdir()]
        for make in (tempfile.SpooledTemporaryFile, tempfile.TemporaryFile, tempfile.NamedTemporaryFile, lambda: open("/tmp/x", "wb+")):
            with make() as f:
                f.write(b"abc")
                f.seek(0)
                out.append(f.read().decode())
        with tempfile.TemporaryDirectory() as folder:
            out.append(os.listdir(folder))
        os.unlink("/tmp/x")
        try:
            open("/usr/x", "w")
        except OSError as e:
            out.append([e.errno, e.filename])
        return out + os.listdir("/tmp")
    """) == ["/tmp"] + ["abc"] * 4 + [[], [30, "/usr/x"]]


def test_exit_input_and_breakpoint(lab):
    since = lab.mark()
    assert lab.value("""
        import sys
        out = []
        for call in (exit, quit, sys.exit, lambda: exit(4), lambda: sys.exit("why"), input, lambda: input("what? ")):
            try:
                call()
            except BaseException as e:
                out.append([type(e).__name__, getattr(e, "code", None)])
        breakpoint()
        return out + [sys.stdin.read(), repr(exit).startswith("Use exit()"), "help" in repr(help)]
    """) == [["SystemExit", None]] * 3 + [["SystemExit", 4], ["SystemExit", "why"], ["EOFError", None], ["EOFError", None], "", True, True]
    lab.wait_log(r"wrn\] breakpoint\(\) at \S+:\d+ is passed over", since=since)


def test_exit_of_a_handler_is_an_error_of_one_request(lab):
    assert lab.run("import sys\nsys.exit(3)").status == 500
    assert lab.value("return 5") == 5


def test_logging_and_warnings_have_their_levels(lab):
    since = lab.mark()
    lab.value("""
        import io, logging, sys, warnings
        logging.getLogger("early").warning("by default")
        log = logging.getLogger("mine")
        log.setLevel(logging.DEBUG)
        log.propagate = False
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        log.addHandler(handler)
        for level in ("debug", "info", "warning", "error", "critical"):
            getattr(log, level)("said by " + level)
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("with a traceback")
        log.error("%d", "not a number")
        own = io.StringIO()
        log.addHandler(logging.StreamHandler(own))
        log.info("copied")
        warnings.warn("careful now")
        print("to stderr", file=sys.stderr)
        print("to stdout")
        log.handlers.clear()
        assert own.getvalue() == "copied\\n"
    """)
    for level, said in (("wrn", "by default"), ("inf", "DEBUG said by debug"), ("inf", "INFO said by info"), ("wrn", "WARNING said by warning"),
                        ("err", "ERROR said by error"), ("err", "CRITICAL said by critical"), ("err", "ERROR with a traceback"), ("inf", "INFO copied"),
                        ("wrn", r"\S*:\d+: UserWarning: careful now"), ("err", "to stderr"), ("inf", "to stdout"), ("err", r"--- Logging error ---")):
        lab.wait_log(rf"{level}\] {said}", since=since)
    lab.wait_log(r"^ +ZeroDivisionError: division by zero", since=since)


def test_streams_of_ones_own_get_what_is_logged(lab):
    assert lab.value("""
        import contextlib, io, logging, warnings
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            print("a")
            logging.getLogger("nobody").warning("b")
            warnings.warn("c")
        return [out.getvalue(), err.getvalue().splitlines()[0], "UserWarning: c" in err.getvalue()]
    """) == ["a\n", "b", True]


def test_a_console_survives_exit(lab):
    assert lab.value("""
        from pyodide.console import Console
        shell, out = Console(), []
        for line in ("import sys; sys.exit(3)", "raise KeyboardInterrupt", "1 + 1"):
            try:
                out.append(await shell.push(line))
            except BaseException as e:
                out.append(type(e).__name__)
        return out
    """) == ["SystemExit", "KeyboardInterrupt", 2]
