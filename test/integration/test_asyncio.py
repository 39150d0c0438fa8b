"""asyncio in a worker, case by case: each comes to what it does under CPython's own asyncio.run()."""
import json
import subprocess
from pathlib import Path

import pytest

from asyncio_cases.runner import cases_of

pytestmark = pytest.mark.asan
CASES = Path(__file__).parent / "asyncio_cases"
WORKER = """\
import json

import runner
from js import Response


async def on_fetch(request):
    return Response.new(json.dumps(await runner.run(await request.text())))
"""
STOCK = "import asyncio, json, runner, sys\nprint('=>' + json.dumps(asyncio.run(runner.run(sys.stdin.read()))))"


@pytest.fixture(scope="module")
def worker(shared_corral):
    return shared_corral({"src/entry.py": WORKER, "src/runner.py": (CASES / "runner.py").read_text()})


@pytest.mark.parametrize("file", sorted(CASES.glob("*.cases")), ids=lambda file: file.stem)
def test_cases_come_to_what_they_do_in_cpython(worker, file):
    text = file.read_text()
    stock = subprocess.Popen(["/usr/bin/python3", "-c", STOCK], cwd=CASES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    answer = worker.request("POST", "/", text.encode(), timeout=100)
    said, errors = stock.communicate(text)
    assert answer.status == 200, answer.text
    here, there = answer.json(), json.loads(said.partition("=>")[2] or errors)
    names = [name for name, _ in cases_of(text)]
    assert len(names) == len(set(names)) == len(there) > 20
    bad = [f"{name}\n    here    {here[name]}\n    CPython {there[name]}" for name in names if here[name] != there[name]]
    bad += [f"{name}\n    is no case: {there[name]}" for name in names if there[name].startswith(("raises NameError", "raises TimeoutError")) and name != "wait_for_no_time"]
    assert not bad, "\n".join(bad)
