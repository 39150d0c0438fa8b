"""Pyodide's behaviour, case by case: what each comes to here is what it came to in the real Pyodide.

tools/pyodide-cases wrote the outcomes (pyodide_cases/*.json), by running the same cases under Node.
"""
import json
from pathlib import Path

import pytest

from harness import WRANGLER
from pyodide_cases.runner import cases_of

CASES = Path(__file__).parent / "pyodide_cases"
DIALECTS = {"026": ("2024-03-29", "python_workers"), "028": ("2025-10-01", "python_workers"),
            "314": ("2025-10-01", "python_workers python_workers_20260610")}
WORKER = """\
import json

import runner
from js import Response


async def on_fetch(request):
    return Response.new(json.dumps(await runner.run(await request.text())))
"""


@pytest.fixture(scope="module", params=DIALECTS)
def dialect(request, shared_corral):
    date, flags = DIALECTS[request.param]
    config = WRANGLER.format(name="cases").replace("2024-03-29", date).replace('"python_workers"', json.dumps(flags.split())[1:-1])
    return request.param, shared_corral({"src/entry.py": WORKER, "src/runner.py": (CASES / "runner.py").read_text(), "wrangler.toml": config})


@pytest.mark.parametrize("file", sorted(CASES.glob("*.cases")), ids=lambda file: file.stem)
def test_cases_come_to_what_they_do_in_pyodide(dialect, file):
    name, one = dialect
    text = file.read_text()
    expected = json.loads(file.with_suffix(".json").read_text())
    options = {case: option for case, option, _ in cases_of(text)}
    assert set(options) == set(expected), "run tools/pyodide-cases"
    answer = one.request("POST", "/", text.encode())
    assert answer.status == 200, answer.text
    bad = []
    for case, outcome in answer.json().items():
        wanted = expected[case] if isinstance(expected[case], str) else expected[case][name]
        since = options[case].partition(":")[0].partition("from ")[2]
        if since > name and not isinstance(expected[case], str):
            wanted = expected[case][since]      # what newer ones have, here all have
        if options[case].startswith("differs:"):
            wanted = "'as meant'"        # the case itself checks what it comes to
        if outcome != wanted:
            bad.append(f"{case}\n    here    {outcome}\n    Pyodide {wanted}")
    assert not bad, "\n".join(bad)
