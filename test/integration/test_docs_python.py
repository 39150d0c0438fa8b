"""The programs of docs/python.md, docs/packages.md and docs/d1.md do what the pages say: each is started and asked."""
import re

import pytest

from harness import ROOT
from origin import Origin

PAGES = [(ROOT / page).read_text() for page in ("docs/python.md", "docs/packages.md", "docs/d1.md")]
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

[[d1_databases]]
binding = "DB"
database_name = "page"
"""
PROGRAMS = [(program, ASKED.findall(asked)) for page in PAGES for program, asked in PROGRAM.findall(page)]


def test_every_program_says_what_it_answers():
    assert len(PROGRAMS) >= 10 and all(asked for _, asked in PROGRAMS)


@pytest.fixture(scope="module")
def api():
    server = Origin()
    yield server.url + "/echo"
    server.close()


@pytest.mark.parametrize("program, asked", PROGRAMS, ids=[str(n + 1) for n in range(len(PROGRAMS))])
def test_program(corral, api, program, asked):
    needs = "".join(name + "\n" for name in ("fastapi", "httpx", "requests") if "import " + name in program or f"from {name} " in program)
    one = corral({"src/entry.py": program, "wrangler.toml": CONFIG % api, "requirements.txt": needs})
    for method, path, body, wanted in asked:
        answer = one.request(method, path, body.encode() or None)
        assert (answer.status, answer.text) == (200, wanted)
