"""Native modules and libraries whose files are in memory: docs/compatibility.md names these tests."""
import base64
import contextlib
import io
import os
import subprocess
import sysconfig
import zipfile

import pytest

from harness import LAB, until

pytestmark = pytest.mark.asan

SUFFIX = ".cpython-311-x86_64-linux-gnu.so"
MODULE = r"""
#define PY_SSIZE_T_CLEAN
#include <Python.h>
%(declare)s
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(%(value)s); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "%(name)s", NULL, %(size)s, methods, %(slots)s};
PyMODINIT_FUNC PyInit_%(name)s(void) { return %(make)s; }
"""


def gcc(folder, output, source, *more):
    path = folder / "x.c"
    path.write_text(source)
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", output, path, f"-I{sysconfig.get_paths()['include']}", *more], check=True, capture_output=True, text=True)


def module(name, value="42", declare="", multi=False):
    return MODULE % {"name": name, "value": value, "declare": declare, "size": "0" if multi else "-1", "slots": "slots" if multi else "NULL",
                     "make": "PyModuleDef_Init(&def)" if multi else "PyModule_Create(&def)"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel's files: modules alone, and one that needs bundled libraries that need each other."""
    work, root = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("wheel")
    gcc(work, root / ("plain_ext" + SUFFIX), module("plain_ext"))
    gcc(work, root / ("multi_ext" + SUFFIX), module("multi_ext", "43", multi=True))
    libs = root / "pk.libs"
    gcc(work, libs / "libinner-1a2b.so", "int inner(void) { return 5; }", "-Wl,-soname,libinner-1a2b.so")
    gcc(work, libs / "libouter-3c4d.so", "int inner(void); int outer(void) { return inner() * 100; }", "-Wl,-soname,libouter-3c4d.so",
        f"-L{libs}", "-l:libinner-1a2b.so", "-Wl,-rpath,$ORIGIN")
    gcc(work, root / "pk" / ("deep" + SUFFIX), module("deep", "outer()", "int outer(void);"), f"-L{libs}", "-l:libouter-3c4d.so",
        "-Wl,-rpath,$ORIGIN/../pk.libs", f"-Wl,-rpath-link,{libs}")
    gcc(work, root / "pk" / ("torn" + SUFFIX), module("torn", "nowhere()", "int nowhere(void);"), "-Wl,-z,now")
    (root / "pk" / "__init__.py").write_text("")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                z.write(path, os.path.relpath(path, root))
    return base64.b64encode(packed.getvalue()).decode()


@pytest.fixture(scope="module")
def node(shared_corral, wheel):
    # One instance: what is unpacked there is in its memory alone.
    one = shared_corral({"src/entry.py": LAB, "src/packed.txt": wheel, "requirements.txt": "numpy\n"}, env={"CORRAL_TEST_INSTANCES": "1"})
    until("the lab answers", lambda: one.get().status == 200)
    one.value("""
import base64, io, os, zipfile, importlib
packed = base64.b64decode(open(os.path.dirname(__file__) + "/packed.txt").read())
with zipfile.ZipFile(io.BytesIO(packed)) as z:
    z.extractall("/session/site-packages")
importlib.invalidate_caches()
""")
    return one


def test_native_modules(node):
    assert node.value("""
import sys, plain_ext, multi_ext, importlib.util, os
first = plain_ext
out = [plain_ext.answer(), multi_ext.answer(), plain_ext.__file__, multi_ext.__file__, plain_ext.__spec__.origin, repr(plain_ext)]
del sys.modules["plain_ext"], sys.modules["multi_ext"]
import plain_ext, multi_ext
return out + [plain_ext.answer(), multi_ext.answer()]
""") == [
        42, 43, f"/session/site-packages/plain_ext{SUFFIX}", f"/session/site-packages/multi_ext{SUFFIX}", f"/session/site-packages/plain_ext{SUFFIX}",
        f"<module 'plain_ext' from '/session/site-packages/plain_ext{SUFFIX}'>", 42, 43]
    held = []
    for process in node.instances():
        with contextlib.suppress(OSError):      # it is on its way in or out
            for fd in os.listdir("/proc/%d/fd" % process.pid):
                held.append(os.readlink("/proc/%d/fd/%s" % (process.pid, fd)))
    assert held and not [path for path in held if "memfd" in path], held


def test_libraries_that_a_wheel_brings(node):
    assert node.value("""
import pk.deep, ctypes
one = ctypes.CDLL("/session/site-packages/pk.libs/libouter-3c4d.so")
return [pk.deep.answer(), one.outer(), pk.deep.__file__]
""") == [500, 500, f"/session/site-packages/pk/deep{SUFFIX}"]


def test_what_cannot_be_loaded_names_the_file(node):
    kind, text, path = node.value("""
try:
    import pk.torn
except ImportError as e:
    return [type(e).__name__, str(e), e.path]
""")
    assert kind == "ImportError" and path == f"/session/site-packages/pk/torn{SUFFIX}"
    assert path in text and "undefined symbol: nowhere" in text and "/proc" not in text, text
    outcome = node.value(f"""
out = []
for content in (b"", b"nothing", b"\\x7fELF\\x02\\x01" + b"\\xff" * 100):
    with open("/session/site-packages/bad_ext{SUFFIX}", "wb") as f:
        f.write(content)
    import importlib
    importlib.invalidate_caches()
    try:
        import bad_ext
    except ImportError as e:
        out.append(str(e))
return out
""")
    assert len(outcome) == 3 and all(text.startswith(f"/session/site-packages/bad_ext{SUFFIX}: ") for text in outcome), outcome


def test_a_new_version_of_a_module_is_loaded_anew(node, tmp_path):
    gcc(tmp_path, tmp_path / "out.so", module("later_ext", "1"))
    first = base64.b64encode((tmp_path / "out.so").read_bytes()).decode()
    gcc(tmp_path, tmp_path / "out.so", module("later_ext", "2"))
    second = base64.b64encode((tmp_path / "out.so").read_bytes()).decode()
    assert node.value(f"""
import base64, importlib, sys
out = []
for text in ({first!r}, {second!r}):
    with open("/session/site-packages/later_ext{SUFFIX}", "wb") as f:
        f.write(base64.b64decode(text))
    importlib.invalidate_caches()
    sys.modules.pop("later_ext", None)
    import later_ext
    out.append(later_ext.answer())
return out
""") == [1, 2]


def test_numpy_from_memory(node):
    """Debian's numpy, as if it came in a wheel."""
    assert node.value("""
import os, sys
import numpy
root = os.path.dirname(os.path.dirname(numpy.__file__)) + "/"
for top in ("numpy",):
    for folder, _, names in os.walk(root + top):
        if "/tests" in folder or "__pycache__" in folder:
            continue
        target = "/tmp/np/" + folder[len(root):]
        os.makedirs(target, exist_ok=True)
        for name in names:
            with open(os.path.join(folder, name), "rb") as f, open(os.path.join(target, name), "wb") as to:
                to.write(f.read())
had = sys.path[:]
sys.path.insert(0, "/tmp/np")
for name in [n for n in sys.modules if n.partition(".")[0] == "numpy"]:
    del sys.modules[name]
import numpy as np
sys.path[:] = had
a = np.arange(12.0).reshape(3, 4)
np.save("/tmp/a.npy", a)
a.tofile("/tmp/a.bin")
np.savez("/tmp/a.npz", a=a)
return [np.__file__, float(np.linalg.norm(a)) > 0, bool((np.load("/tmp/a.npy") == a).all()), bool((np.fromfile("/tmp/a.bin") == a.ravel()).all()),
        bool((np.load("/tmp/a.npz")["a"] == a).all()), bool((np.load("/tmp/a.npy", mmap_mode="r") == a).all()), np.core._multiarray_umath.__file__[:8]]
""") == ["/tmp/np/numpy/__init__.py", True, True, True, True, True, "/tmp/np/"]
