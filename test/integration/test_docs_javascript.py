"""The programs of docs/javascript.md do what the page says: each is put in the place of the one before, and asked."""
import json
import re

import pytest

from harness import ROOT, until

PAGE = (ROOT / "docs/javascript.md").read_text()
PROGRAM = re.compile(r"```(js|ts)\n(.*?)```\n((?:<!-- .*? -->\n)+)", re.S)
ASKED = re.compile(r"<!-- (\w+) (\S+)(?: (.*?))? -> (.*?) -->")
PROGRAMS = [(program, ASKED.findall(asked)) for _, program, asked in PROGRAM.findall(PAGE)]
CONFIG = {"name": "page", "main": "src/index.ts", "compatibility_date": "2026-03-01", "compatibility_flags": ["nodejs_compat"], "vars": {"SHOP": "Anvil"}}


def test_every_program_says_what_it_answers():
    assert len(PROGRAMS) == PAGE.count("```js") + PAGE.count("```ts") >= 6 and all(asked for _, asked in PROGRAMS)


@pytest.fixture
def page(corral):
    return corral({"wrangler.json": json.dumps(CONFIG), "src/index.ts": "export default { fetch() { return new Response('none'); } };\n"})


def test_programs(page):
    for program, asked in PROGRAMS:
        before = page.log_text().count("Reloaded")
        page.put("src/index.ts", program)
        until(lambda: "the program is there: %s" % page.log_text()[-500:], lambda: page.log_text().count("Reloaded") > before)
        for method, path, body, wanted in asked:
            answer = page.request(method, path, body.encode() or None)
            assert (answer.status, answer.text) == (200, wanted), program
