"""URLPattern, case by case in one worker: [constructor's arguments, inputs, what comes of them] in url_pattern_cases.json."""
import json
from pathlib import Path

import pytest

from harness import script

pytestmark = pytest.mark.asan

CASES = json.loads(Path(__file__).with_name("url_pattern_cases.json").read_text())
RUN = """
const NAMES = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
const given = (value) => (value === 'undefined!' ? undefined : value);
function outcomeOf([args, inputs]) {
  let p;
  try { p = new URLPattern(...args.map(given)); } catch (e) { return e instanceof TypeError ? 'TypeError' : String(e); }
  return [NAMES.map((n) => p[n]), p.hasRegExpGroups, inputs.map((i) => {
    let test, exec;
    try { test = p.test(...i); exec = p.exec(...i); } catch (e) { return e.name; }
    if (test !== (exec !== null)) return 'test and exec disagree';
    return exec && Object.fromEntries(NAMES.filter((n) => exec[n].input !== '' || Object.keys(exec[n].groups).length).map((n) => [n, [exec[n].input, Object.fromEntries(Object.entries(exec[n].groups).map(([k, v]) => [k, v === undefined ? 'undefined!' : v]))]]));
  })];
}
return %s.map((one) => outcomeOf(one));
"""


def test_patterns_by_the_standard(lab):
    got = script(lab, RUN % json.dumps([case[:2] for case in CASES]))
    wrong = ["%s: %s instead of %s" % (json.dumps(case[:2]), json.dumps(outcome), json.dumps(case[2])) for case, outcome in zip(CASES, got) if outcome != case[2]]
    assert not wrong, "\n".join(wrong)
    assert len(CASES) >= 170


def test_the_class_itself(lab):
    assert script(lab, """
        const p = new URLPattern('/a/:b', 'https://example.com'), url = new URL('https://example.com/a/1'), many = '/' + '{a}?'.repeat(20000);
        const refused = (f) => { try { f(); return 'done'; } catch (e) { return e.name; } };
        return [p.exec(url).pathname.groups, p.exec('/a/1', 'https://example.com').inputs, String(p), typeof URLPattern, refused(() => URLPattern('/')), refused(() => structuredClone(p)),
          refused(() => p.test({}, 'https://example.com')), refused(() => new URLPattern({ pathname: many })), p.exec('https://example.com/b')];
    """) == [{"b": "1"}, ["/a/1", "https://example.com"], "[object URLPattern]", "function", "TypeError", "DataCloneError", "TypeError", "TypeError", None]


def test_url_pattern_in_python(lab):
    assert lab.value("""
        from js import URLPattern
        pattern = URLPattern.new("https://example.com/books/:id")
        found = pattern.exec("https://example.com/books/7?x")
        return [pattern.test("https://example.com/books/7"), pattern.test("https://example.com/"), found and found.pathname.groups.id]
    """) == [True, False, "7"]
