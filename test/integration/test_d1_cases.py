"""D1's behaviour, case by case: what each comes to here is what it came to in the real one.

tools/d1-cases wrote the outcomes (d1_cases/*.json), by running the same cases in workerd with miniflare's D1.
"""
import json

import pytest

from d1_cases import cases
from harness import WRANGLER

# Under the sanitizers: what reaches the most code of ours in C.
BOTH = ("values", "limits")

WORKER = """\
import json
from js import Response
from pyodide.code import run_js


async def on_fetch(request, env):
    ask = run_js(await request.text())
    return Response.json(await ask(env))
"""


@pytest.fixture(scope="module")
def one(shared_corral):
    bindings = [cases.binding(file, name) for file in cases.files() for name, _, _ in cases.cases_of(file)]
    databases = [f'[[d1_databases]]\nbinding = "{b}"\ndatabase_name = "{b}"\n' for b in bindings]
    return shared_corral({"src/entry.py": WORKER, "wrangler.toml": WRANGLER.format(name="cases") + "\n".join(databases)},
                         env={"CORRAL_TEST_STORES": "128"})  # no store gives way in the middle of its case: last_row_id goes with it


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem, marks=[pytest.mark.asan] * (file.stem in BOTH)) for file in cases.files()])
def test_cases_come_to_what_they_do_in_workerd(one, file):
    expected = json.loads(file.with_suffix(".json").read_text())
    options = {name: option for name, option, _ in cases.cases_of(file)}
    assert set(options) == set(expected), "run tools/d1-cases"
    answer = one.request("POST", "/", cases.script(file).encode())
    assert answer.status == 200, answer.text
    bad = []
    for name, outcome in answer.json().items():
        wanted = cases.AS_MEANT if options[name].startswith("differs:") else expected[name]
        if outcome != wanted and not options[name].startswith("skip:"):
            bad.append(f"{name}\n    here    {outcome}\n    workerd {wanted}")
    assert not bad, f"{len(bad)} of {len(expected)}:\n" + "\n".join(bad)
