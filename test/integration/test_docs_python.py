"""The programs of docs/python.md do what the page says: each is started and asked."""
import re

import pytest

from harness import ROOT
from origin import Origin

PAGE = (ROOT / "docs/python.md").read_text()
PROGRAM = re.compile(r"```python\n(.*?)```\n((?:<!-- .*? -->\n)*)", re.S)
ASKED = re.compile(r"<!-- (\w+) (\S+)(?: (.*?))? -> (.*?) -->")
CONFIG = """\
name = "page"
main = "src/entry.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]

[vars]
SHOP = "Anvil"
API = "%s"
"""
PROGRAMS = [(program, ASKED.findall(asked)) for program, asked in PROGRAM.findall(PAGE)]


def test_every_program_says_what_it_answers():
    assert len(PROGRAMS) >= 8 and all(asked for _, asked in PROGRAMS)


@pytest.fixture(scope="module")
def api():
    server = Origin()
    yield server.url + "/echo"
    server.close()


@pytest.mark.parametrize("program, asked", PROGRAMS, ids=[str(n + 1) for n in range(len(PROGRAMS))])
def test_program(corral, api, program, asked):
    one = corral({"src/entry.py": program, "wrangler.toml": CONFIG % api})
    for method, path, body, wanted in asked:
        answer = one.request(method, path, body.encode() or None)
        assert (answer.status, answer.text) == (200, wanted)
