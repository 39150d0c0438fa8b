"""The tables of cases of the standards, each a module of one worker in JavaScript: as they run in Python's workers by js.eval.

The other modules that have these tables run them there."""
import json
from pathlib import Path

import pytest

from conftest import finish, start
from harness import PATIENCE
from test_url_pattern import CASES as PATTERNS, RUN as RUN_PATTERNS

pytestmark = pytest.mark.asan

HERE = Path(__file__).parent
TOML = 'name = "tables"\nmain = "src/index.js"\ncompatibility_date = "2026-01-01"\n'
# Table: at least so many checks.
STREAMS = {"readable": 230, "bytes": 105, "writable": 130, "transform": 75, "pipe": 66, "signal": 25, "tee": 42, "cloudflare": 26, "text": 31, "compression": 1000}
WEB = {"headers": 400, "messages": 680, "forms": 280, "surface": 770}
OTHERS = {"body_cases/headers": 257, "body_cases/blob": 160, "body_cases/formdata": 90, "body_cases/body": 379, "body_cases/cache": 150, "url_cases/url": 130,
          "url_cases/params": 100, "url_cases/encoding": 280, "crypto_cases/vectors": 281, "crypto_cases/errors": 240, "crypto_cases/cloudflare": 25}
TABLES = {**{"stream_cases/" + name: least for name, least in STREAMS.items()}, **{"web_cases/" + name: least for name, least in WEB.items()}, **OTHERS}

# body_cases/harness.js writes its results down in its own words.
OUTCOME = "JSON.stringify([...outcome.failures.map((text) => [text, 'it', 0]), ['all', null, outcome.checks]])"
MAIN = """
%s
export default {
  async fetch(request) { return new Response(await tables[new URL(request.url).pathname.slice(1)]()); },
};
"""


REWRITER = HERE / "rewriter_cases"


def module_of(table):
    cases = (HERE / (table + ".js")).read_text()
    if table.partition("/")[0] in ("stream_cases", "web_cases"):
        prelude, result = (HERE / "stream_cases/prelude.js").read_text(), "run(%d)" % (10 * PATIENCE)
    else:
        prelude, result = (HERE / "body_cases/harness.js").read_text(), OUTCOME
    return "export default async () => {\n%s\n%s\nreturn %s;\n};\n" % (prelude, cases, result)


def rewriter():
    files = [REWRITER / "prelude.js"] + sorted(f for f in REWRITER.glob("*.js") if f.name != "prelude.js")
    return "".join(f.read_text() for f in files) + "\nreturn runCases();"


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    modules = {name: module_of(name) for name in TABLES}
    for name, body in (("patterns", RUN_PATTERNS % json.dumps([case[:2] for case in PATTERNS])), ("rewriter", rewriter())):
        modules[name] = "export default async () => JSON.stringify(await (async () => {\n%s\n})());\n" % body
    files = {"src/%d.js" % i: text for i, text in enumerate(modules.values())}
    imports = "".join("import t%d from './%d.js';\n" % (i, i) for i in range(len(modules)))
    files["src/index.js"] = MAIN % (imports + "const tables = {%s};" % ", ".join("%r: t%d" % (name, i) for i, name in enumerate(modules)))
    files["wrangler.toml"] = TOML
    one = start(tmp_path_factory.mktemp("tables"), files)
    yield lambda name: one.get("/" + name)
    finish(one)


@pytest.mark.parametrize("name", TABLES)
def test_table(tables, name):
    """The same checks as in a Python worker, and as many."""
    answer = tables(name)
    assert answer.status == 200, answer.text
    results = json.loads(answer.text)
    wrong = ["%s: %s" % (case, why) for case, why, _ in results if why]
    assert not wrong, "\n".join(wrong)
    assert sum(checks for _, _, checks in results) >= TABLES[name], results


def test_url_patterns(tables):
    answer = tables("patterns")
    assert answer.status == 200, answer.text
    got = json.loads(answer.text)
    assert [case for case, outcome in zip(PATTERNS, got) if outcome != case[2]] == []
    assert len(got) == len(PATTERNS) >= 170


def test_html_rewriter(tables):
    answer, expected = tables("rewriter"), json.loads((REWRITER / "expected.json").read_text())
    assert answer.status == 200, answer.text
    assert answer.json() == expected
    assert len(expected) >= 190
