"""/metrics and /healthz of a node."""
import re
import signal

import pytest

from harness import ROOT, until

pytestmark = pytest.mark.asan

CODE = """\
from js import Response
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "boom" in request.url:
            raise ValueError("two")
        if "db" in request.url:
            await self.env.DB.prepare("CREATE TABLE IF NOT EXISTS t (x)").run()
            return Response.new(str((await self.env.DB.prepare("SELECT count(*) AS n FROM t").first()).n))
        if "wrong" in request.url:
            try:
                await self.env.DB.prepare("SELECT nonsense FROM nowhere").run()
            except Exception:
                return Response.new("caught")
        return Response.new("hi")

    async def scheduled(self, controller):
        pass
"""
LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')


def samples(text):
    """{(name, frozenset of labels): value}; the whole text must be what Prometheus reads."""
    families, found = {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert line.split()[2] not in families, line
            name = line.split()[2]
        elif line.startswith("# TYPE "):
            assert line.split()[2] == name and line.split()[3] in ("counter", "gauge", "histogram")
            families[name] = line.split()[3]
        else:
            match = LINE.match(line)
            assert match and re.sub(r"_(bucket|sum|count)$", "", match[1]) in families or match[1] in families, line
            labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            assert (match[1], labels) not in found, line
            found[match[1], labels] = float(match[3])
    return found


class Metrics:
    def __init__(self, node, **more):
        answer = node.api_raw("GET", "/metrics", **more)
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4"), answer.text
        self.all = samples(answer.text)

    def sum(self, name, **labels):
        return sum(value for (n, l), value in self.all.items() if n == name and set(labels.items()) <= l)

    def accounts(self):
        return {value for _, labels in self.all for key, value in labels if key == "account"}


def test_what_requests_leave_in_the_metrics(serve):
    node = serve(env={"CORRAL_TEST_CLOCK_SPEED": "600"})
    node.add_account("other")
    database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "main-db"})
    bindings = [{"type": "d1", "name": "DB", "id": database["uuid"]}]
    first = node.deploy("one", CODE, metadata={"bindings": bindings})
    node.deploy("two", CODE, account="other")
    for path, status in (("/", 200), ("/", 200), ("/boom", 500), ("/db", 200), ("/wrong", 200)):
        assert node.get("one", path).status == status
    node.get("two", "/", account="other")
    node.result("PUT", "/accounts/$ACC/workers/scripts/one/schedules", [{"cron": "* * * * *"}])
    until("the schedule has run", lambda: Metrics(node, token=False).sum("corral_cron_runs_total", worker="one", outcome="ok") >= 1)
    m = Metrics(node, token=False)
    assert m.sum("corral_requests_total", worker="one", outcome="ok") == 4 and m.sum("corral_requests_total", worker="two") == 1
    assert m.sum("corral_requests_total", worker="one", outcome="exception") == m.sum("corral_errors_total", worker="one") == 1
    assert m.sum("corral_responses_total", worker="one", status="2xx") == 4
    assert m.sum("corral_request_duration_seconds_count", worker="one") == 5
    assert m.sum("corral_request_duration_seconds_bucket", worker="one", le="+Inf") == 5
    assert 0 < m.sum("corral_cpu_seconds_total", worker="one") < 10
    assert m.sum("corral_instances", worker="one") >= 1 and m.sum("corral_memory_bytes", worker="one") > 1 << 20
    assert m.sum("corral_d1_queries_total", worker="one", database="main-db") == 3
    assert m.sum("corral_d1_query_duration_seconds_count", worker="one", database="main-db") == 3
    assert ("corral_d1_errors_total", "main-db") in {(n, dict(l).get("database")) for n, l in m.all}
    assert ("corral_access_log_dropped_total", frozenset()) in m.all and ("corral_catalog_jobs", frozenset()) in m.all
    assert m.accounts() == {node.accounts["main"]["id"], node.accounts["other"]["id"]}

    # The page has all names, and no other.
    said = re.search(r"^### Metrics\n(.*?)^### ", (ROOT / "docs/configuration.md").read_text(), re.M | re.S)[1]
    types = re.findall(r"^# TYPE (\w+) (\w+)$", node.api_raw("GET", "/metrics", token=False).text, re.M)
    rows = re.findall(r"^\| (`corral_.*?) \| (\w+) \|", said, re.M)
    assert sorted((name, kind) for names, kind in rows for name in re.findall(r"`(\w+)`", names)) == sorted(types)

    # Its own account's alone, with a token; without one not from elsewhere.
    mine = Metrics(node)
    assert mine.accounts() == {node.account["id"]} and mine.sum("corral_requests_total", worker="two") == 0
    assert ("corral_catalog_jobs", frozenset()) not in mine.all
    assert node.api_raw("GET", "/metrics", token="wrong").status == 401
    elsewhere = node.api_raw("GET", "/metrics", token=False, headers={"Host": "api.example.com"})
    assert elsewhere.status == 401 and "wants a token" in elsewhere.text

    # Versions are bounded: what old ones did is kept.
    for i in range(6):
        node.deploy("one", CODE + "# %d\n" % i, metadata={"bindings": bindings})
        node.get("one", "/")
    m = Metrics(node, token=False)
    versions = {dict(labels)["version"] for name, labels in m.all if name == "corral_requests_total" and ("worker", "one") in labels}
    assert len(versions) <= 5 and "older" in versions and m.sum("corral_requests_total", worker="one") == 11
    assert first

    # A worker that is deleted takes its series along.
    node.result("DELETE", "/accounts/$ACC/workers/scripts/one")
    until("they are gone", lambda: Metrics(node, token=False).sum("corral_requests_total", worker="one") == 0)


def test_healthz(serve):
    node = serve()
    answer = node.api_raw("GET", "/healthz", token=False, headers={"Host": "anything.example"})
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert node.api_raw("GET", "/healthz", token=False, headers={"CDN-Loop": "corral"}).json() == {"status": "ok"}
    node.process.send_signal(signal.SIGTERM)
    node.wait_exit()
