"""Files in an instance's own memory, at /tmp and /session: docs/compatibility.md names these tests."""
import json
import subprocess

import pytest

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
