"""One interpreter of Python in a process, however it was linked; extension modules find it."""
import re
import subprocess

from harness import BIN

SOURCE = """
import ctypes, sqlite3, ssl, _decimal
import numpy, pydantic, markupsafe
from js import Response

class Symbols:
    same = ctypes.pythonapi.Py_GetVersion
    same.restype = ctypes.c_char_p

async def on_fetch(request, env):
    database = sqlite3.connect(":memory:")
    made = database.execute("SELECT sqlite_version()").fetchone()[0]
    total = int(numpy.arange(5).sum())
    return Response.new(f"{Symbols.same().decode().split()[0]} {total} {bool(made)} {pydantic.compiled}")
"""


def mapped(pid):
    with open(f"/proc/{pid}/maps") as f:
        return {line.split(None, 5)[5].strip() for line in f if len(line.split(None, 5)) > 5}


def test_there_is_one_interpreter_in_a_process(corral):
    server = corral({"src/entry.py": SOURCE, "requirements.txt": "numpy\npydantic\nmarkupsafe\n"})
    assert re.fullmatch(r"3\.\d+\.\d+ 10 True (True|False)", server.get().text)
    linked = subprocess.run(["ldd", BIN / "corral-worker"], capture_output=True, text=True, check=True).stdout
    is_static = "libpython" not in linked
    for one in sum(server.wait_settled(), []):
        files = mapped(one.pid)
        libraries = {f for f in files if "/libpython" in f}
        assert len(libraries) == (0 if is_static else 1), libraries
    assert any("_multiarray_umath" in f for f in files) and any("_sqlite3" in f for f in files)
