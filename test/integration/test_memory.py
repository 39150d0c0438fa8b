"""Files in an instance's own memory, at /tmp and /session: docs/compatibility.md names these tests."""
import json
import subprocess
from pathlib import Path

import pytest

from harness import LAB
from memory_cases import CASES, RUN

pytestmark = pytest.mark.asan


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    """What the system's Python says of the cases, on a disk."""
    folder = tmp_path_factory.mktemp("disk")
    code = RUN + f"import json\nprint(json.dumps(run_cases({CASES!r}, {str(folder)!r})))\n"
    done = subprocess.run(["/usr/bin/python3", "-"], input=code, capture_output=True, text=True, cwd=folder, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def in_memory(lab):
    return lab.value(f"space = {{}}\nexec({RUN!r}, space)\nos.mkdir('/tmp/cases')\nreturn space['run_cases']({CASES!r}, '/tmp/cases')\n")


@pytest.mark.parametrize("name", CASES)
def test_files_are_as_on_a_disk(name, in_memory, on_disk):
    assert in_memory[name] == on_disk[name]
    assert "raised" not in on_disk[name], on_disk[name]


def value(lab, code):
    import textwrap
    return lab.value(textwrap.dedent(code))


def test_the_real_tmp_is_not_seen(lab, tmp_path):
    (tmp_path / "secret").write_text("x")
    assert value(lab, f"""
        import glob
        return [os.path.exists({str(tmp_path / "secret")!r}), "lab.py" in os.listdir("/tmp"), glob.glob("/tmp/pytest*"), os.path.exists(__file__), len(open(__file__).read()) > 100]
    """) == [False, False, [], True, True]


def test_bounds(lab):
    """ENOSPC beyond the limits, and all of it comes back."""
    assert value(lab, """
        from corral.memory import tree
        import gc, shutil, tempfile
        os.mkdir('/tmp/bounds')
        gc.collect()    # files that nobody has any more, of the tests before
        had, out = (tree.used_bytes, tree.used_files), []
        limits = tree.BYTES_MAX, tree.FILES_MAX
        tree.BYTES_MAX, tree.FILES_MAX = tree.used_bytes + 1_000_000, tree.used_files + 10
        try:
            with open("/tmp/bounds/big", "wb") as f:
                f.write(b"x" * 900_000)
            for make in (lambda: open("/tmp/bounds/big2", "wb", 0).write(b"x" * 200_000), lambda: os.truncate("/tmp/bounds/big", 2_000_000),
                         lambda: [os.mkdir("/tmp/bounds/d%d" % i) for i in range(20)], lambda: os.symlink("a", "/tmp/bounds/l"), lambda: tempfile.TemporaryFile(dir='/tmp/bounds')):
                try:
                    make()
                    out.append("worked")
                except OSError as e:
                    out.append([e.errno, os.path.getsize("/tmp/bounds/big")])
            out.append(shutil.disk_usage("/tmp").total > 0)
        finally:
            tree.BYTES_MAX, tree.FILES_MAX = limits
        f = open("/tmp/bounds/big", "rb")
        for name in os.listdir("/tmp/bounds"):
            os.remove("/tmp/bounds/" + name) if name[0] != "d" else os.rmdir("/tmp/bounds/" + name)
        out += [tree.used_bytes - had[0], len(f.read()), tree.used_bytes - had[0]]
        f.close()
        return out + [tree.used_bytes - had[0], tree.used_files - had[1]]
    """) == [[28, 900_000]] * 5 + [True, 900_000, 900_000, 900_000, 0, 0]


def test_what_goes_gives_its_memory_back(corral):
    one = corral({"src/entry.py": LAB}, env={"CORRAL_TEST_INSTANCES": "1"})
    pid = one.outer(value(one, "return os.getpid()"))

    def resident():
        return int(Path("/proc/%d/statm" % pid).read_text().split()[1]) * 4096
    for _ in range(3):
        value(one, """
            for n in range(20):
                with open("/tmp/f%d" % n, "wb") as f:
                    for _ in range(5):
                        f.write(b"x" * 1_000_000)
        """)
        full = resident()
        value(one, 'for n in range(20):\n    os.unlink("/tmp/f%d" % n)')
        assert full - resident() > 80_000_000
    assert one.outer(value(one, "return os.getpid()")) == pid


def test_threads(lab):
    """Several at once, in the same folders and the same file."""
    assert value(lab, """
        import concurrent.futures, shutil, tempfile
        os.mkdir("/tmp/t")
        open("/tmp/t/log", "w").close()
        def work(n):
            for i in range(40):
                with tempfile.NamedTemporaryFile("w+", dir="/tmp/t") as f:
                    f.write(f"{n} {i}")
                    f.flush()
                    assert open(f.name).read() == f"{n} {i}"
                os.makedirs(f"/tmp/t/{n}/{i}/x")
                with open("/tmp/t/log", "a") as f:
                    f.write(f"{n} {i}\\n")
                sorted(os.walk("/tmp/t"))
                if i % 5 == 4:
                    shutil.rmtree(f"/tmp/t/{n}")
            return n
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = list(pool.map(work, range(4)))
        out = [done, len(open("/tmp/t/log").read().splitlines()), os.listdir("/tmp/t")]
        shutil.rmtree("/tmp/t")
        return out
    """) == [[0, 1, 2, 3], 160, ["log"]]


def test_each_instance_has_its_own_of_what_top_level_code_wrote(corral):
    one = corral({"src/entry.py": '''
        import os
        from js import Response
        os.makedirs("/tmp/made", exist_ok=True)
        kept = open("/tmp/made/open", "w+")
        kept.write("from the template")
        kept.flush()
        with open("/tmp/made/early.py", "w") as f:
            f.write("word = 'early'\\n")
        import sys
        sys.path.append("/tmp/made")
        import early
        from pathlib import Path
        (Path("/tmp") / "n").write_text("0")

        async def on_fetch(request):
            n = int(open("/tmp/n").read()) + 1
            open("/tmp/n", "w").write(str(n))
            kept.seek(0)
            return Response.new(f"{early.word} {n} {kept.read()} {os.listdir('/tmp/made')[0]}")
    '''}, env={"CORRAL_TEST_SPARES": "0", "CORRAL_TEST_INSTANCES": "1"})
    assert [one.get().text for _ in range(2)] == [f"early {n} from the template open" for n in (1, 2)]


def test_gates_are_as_what_they_stand_for(lab):
    """Names, signatures, docstrings; and, for what is real, results and errors."""
    real = {}
    code = """
        import builtins, inspect, io, os, pickle, posix
        names = ["stat", "lstat", "fstat", "listdir", "scandir", "mkdir", "rmdir", "remove", "unlink", "rename", "replace", "access", "chmod", "chown",
                 "utime", "truncate", "ftruncate", "link", "symlink", "readlink", "chdir", "fchdir", "getcwd", "getcwdb", "open", "close", "read", "write",
                 "pread", "pwrite", "lseek", "dup", "dup2", "fsync", "statvfs", "isatty", "listxattr", "getxattr", "sendfile", "copy_file_range", "readv"]
        def facts(f):
            try:
                signature = str(inspect.signature(f))
            except ValueError:
                signature = None
            return [f.__name__, f.__qualname__, f.__module__, f.__doc__, signature, repr(f).split(" at ")[0], type(f).__name__, inspect.isbuiltin(f), pickle.loads(pickle.dumps(f)) is f]
        def fails(f, *args, **kwargs):
            try:
                r = f(*args, **kwargs)
                return ["no error", type(r).__name__]
            except Exception as e:
                return [type(e).__name__, str(e)]
        out = [facts(getattr(os, n)) for n in names] + [facts(builtins.open), facts(io.open_code)]
        out += [[getattr(os, n) is getattr(posix, n) for n in names], builtins.open is io.open]
        for f in (os.stat, os.lstat, os.listdir, os.scandir, os.readlink, os.chdir):
            out.append([fails(f, "/usr/none"), fails(f, b"/usr/none"), fails(f), fails(f, 1.5), fails(f, "/usr", 3, 4), fails(f, path="/usr/none"), fails(f, "/usr\\0"), fails(f, nothing=1), fails(f, "\\udcff/none")])
        for f in (os.rename, os.replace, os.link, os.symlink):
            out.append([fails(f), fails(f, "/usr/none"), fails(f, 1.5, "/usr/x"), fails(f, "/usr/x", [])])
        for f in (os.close, os.read, os.write, os.fstat, os.lseek, os.dup, os.isatty, os.ftruncate):
            out.append([fails(f), fails(f, "x"), fails(f, -1), fails(f, 999, 1), fails(f, 1 << 70)])
        class P:
            def __fspath__(self):
                raise LookupError("no path")
        out.append([fails(os.stat, P()), fails(open, P()), fails(open, 1.5), fails(open), fails(open, "/usr/none"), fails(open, "/usr/lib"), fails(open, 987)])
        class Own:
            stat = os.stat
        out.append([Own().stat("/usr").st_mode, isinstance(open("/usr/lib/python3.11/os.py", "rb").raw, io.FileIO), type(io.FileIO("/usr/lib/python3.11/os.py")).__name__, issubclass(io.FileIO, io.RawIOBase),
                    io.FileIO.__name__, io.FileIO.__module__, io.FileIO.__doc__])
        class Mine(io.FileIO):
            def read(self, n=-1):
                return super().read(n)
        with Mine("/usr/lib/python3.11/os.py") as f:
            out.append([len(f.read(4)), isinstance(f, io.FileIO), issubclass(Mine, io.FileIO)])
        return out
    """
    import textwrap
    for where in ("lab", "here"):
        if where == "lab":
            real[where] = value(lab, code)
        else:
            text = "import json\ndef f():\n" + textwrap.indent(textwrap.dedent(code), "    ") + "\nprint(json.dumps(f()))\n"
            done = subprocess.run(["/usr/bin/python3", "-"], input=text, capture_output=True, text=True, check=True)
            real[where] = json.loads(done.stdout)
    for ours, theirs in zip(real["lab"], real["here"], strict=True):
        assert ours == theirs


def test_what_does_not_go_says_what_to_do(lab):
    assert value(lab, """
        import sqlite3
        from corral import hints
        out = []
        for make in (lambda: sqlite3.connect("/tmp/x.db"), lambda: open("/usr/x", "w"), lambda: os.rename("/usr/lib/python3.11/os.py", "/tmp/env")):
            try:
                make()
            except Exception as e:
                out.append([type(e).__name__, hints.for_exception(e)[:40]])
        return out
    """) == [["OperationalError", "SQLite does not see the files below /tmp"], ["OSError", "a worker's own files are those below /tm"], ["OSError", ""]]
