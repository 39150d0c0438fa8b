"""Schedules: what a configuration says of them, and the node that runs them.

The node's clock for schedules is turned by CORRAL_TEST_CLOCK_SPEED and CORRAL_TEST_CLOCK_AHEAD_S, so no test waits
for a minute."""
import re
import time

import pytest

from harness import WRANGLER, until

pytestmark = pytest.mark.asan

HANDLER = """\
from js import Response

async def on_fetch(request, env):
    return Response.new("fetch")

async def on_scheduled(controller, env, ctx):
    print("ran", controller.cron)
"""


# ---- corral dev ----


def test_crons_of_a_project(corral):
    dev = corral({"src/entry.py": HANDLER, "wrangler.toml": WRANGLER.format(name="cron") +
                  '[triggers]\ncrons = ["*/15 * * * *", "0 9 1 JAN *"]\n'}, "--test-scheduled")
    dev.wait_log(r"The scheduled handler is not called by itself here")
    dev.wait_log(r"Cron '\*/15 \* \* \* \*': next on \w+ \d{4}-\d\d-\d\d \d\d:(00|15|30|45) UTC, when deployed")
    dev.wait_log(r"Cron '0 9 1 JAN \*': next on \w+ \d{4}-01-01 09:00 UTC")
    assert dev.get("/__scheduled?cron=0+9+1+JAN+*").text == "Ran scheduled event"
    dev.wait_log(r"ran 0 9 1 JAN \*")


def test_crons_that_are_wrong_are_named_with_their_place(corral):
    dev = corral({"src/entry.py": HANDLER, "wrangler.toml": WRANGLER.format(name="cron") +
                  '[triggers]\ncrons = ["0 9 * * MON-FRI",\n  "0 25 * * *",\n  "0 0 * * 0",\n  "@daily",\n  "0 0 31 2 *"]\n'},
                 ready=False)
    assert dev.wait_exit() == 1
    said = dev.log_text()
    assert "wrangler.toml:7:3: error: 'triggers.crons': the hour '25': values are from 0 to 23" in said
    assert "wrangler.toml:8:3: error: 'triggers.crons': the day of the week '0': values are from 1 to 7" in said
    assert "Sunday is 1" in said
    assert "wrangler.toml:9:3: error: 'triggers.crons': a cron expression has five fields, not one" in said
    assert "wrangler.toml:10:3: error:" in said and "never comes" in said


# ---- corral serve ----

FUNCTIONS = """\
import asyncio
from js import Response

ran = []
gate = asyncio.Event()

async def on_fetch(request, env):
    if "/go" in request.url:
        gate.set()
    return Response.new(" ".join(ran))

async def on_scheduled(controller, env, ctx):
    print("ran", controller.cron, controller.scheduledTime % 60000, controller.type, controller.scheduledTime)
    ran.append(controller.cron)
    if controller.cron == "1-59 * * * *":
        print("holds")
        await gate.wait()
        print("held")
"""

CLASS = """\
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("fetch")

    async def scheduled(self, controller):
        print("class ran", controller.cron, controller.scheduledTime)
        if controller.cron == "*/2 * * * *":
            raise ValueError("no luck")
"""

# A minute takes half a second.
FAST = {"CORRAL_TEST_CLOCK_SPEED": "120"}


def schedule(node, name, *crons, **more):
    return node.api("PUT", "/accounts/$ACC/workers/scripts/%s/schedules" % name, [{"cron": cron} for cron in crons], **more)


def test_schedules_of_a_node(serve):
    node = serve(env=dict(FAST, CORRAL_TEST_INSTANCES="1"))     # which answers for all that ran
    node.deploy("both", CLASS, {"compatibility_flags": ["python_workers"]})
    node.deploy("plain", FUNCTIONS, {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
    said = schedule(node, "plain", "* * * * *")
    assert said.success and [one["cron"] for one in said.result["schedules"]] == ["* * * * *"]
    assert schedule(node, "both", "* * * * *", "*/2 * * * *").success
    # Both styles, at whole minutes; a failure with its traceback.
    node.wait_log(r"ran \* \* \* \* \* 0 scheduled")
    node.wait_log(r"class ran \* \* \* \* \*")
    node.wait_log(r"err\] schedule '\*/2 \* \* \* \*' of worker 'both' failed \(exception\):\n(.*\n)+.*ValueError: no luck")
    # Bad ones are refused whole.
    bad = schedule(node, "plain", "* * * * *", "61 * * * *")
    assert bad.status == 400 and "values are from 0 to 59" in bad.text
    # None any more.
    assert schedule(node, "both").success and schedule(node, "plain").success
    before = node.mark()
    assert schedule(node, "plain", "*/2 * * * *").success
    node.wait_log(r"inf\] ran \*/2 (?:.+\n)+?.*ran \*/2 ", since=before)
    # What had begun may still say so; what would have been due since has not.
    due = [int(ms) for ms in re.findall(r"inf\] ran \*/2 .* scheduled (\d+)", "\n".join(node.log_lines()[before:]))]
    assert not [line for line in node.log_lines() if "class ran" in line and int(line.rsplit(" ", 1)[1]) >= due[0]]
    assert "* * * * *" in node.request("plain").text
    # A deleted worker runs nothing; what runs does not keep the node.
    assert node.api("DELETE", "/accounts/$ACC/workers/scripts/plain").success
    assert node.stop() == 0


def test_one_run_at_a_time(serve):
    node = serve(env=dict(FAST, CORRAL_TEST_INSTANCES="1"))
    node.deploy("plain", FUNCTIONS, {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
    assert schedule(node, "plain", "1-59 * * * *", "*/1 * * * *").success
    node.wait_log("holds")
    node.wait_log(r"schedule '1-59 \* \* \* \*' of worker 'plain' was skipped: it still runs")
    node.wait_log(r"schedule '\*/1 \* \* \* \*' of worker 'plain' was skipped: it still waits for another one to end")
    before = node.mark()
    assert node.request("plain", "/go").status == 200
    node.wait_log("held", since=before)
    node.wait_log(r"ran \*/1 \* \* \* \* 0 scheduled", since=before)
    assert node.stop() == 0


def test_runs_that_were_missed(serve):
    node = serve()
    node.deploy("plain", FUNCTIONS, {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
    until("no hour begins soon", lambda: time.time() % 3600 < 3590)
    this_hour = time.time() // 3600
    assert schedule(node, "plain", "0 * * * *", "0 0 1 1 *").success
    node.kill()
    # Half past five hours later: none begins there while this test runs.
    later = {"CORRAL_TEST_CLOCK_AHEAD_S": str(int((this_hour + 5.5) * 3600 - time.time()))}
    again = serve(data=node.data, env=later)
    again.wait_log(r"wrn\] schedule '0 \* \* \* \*' of worker 'plain': 5 runs were missed since \d{4}-\d\d-\d\d \d\d:\d\d UTC: no node ran")
    assert again.request("plain").text == ""        # none of them ran
    assert again.stop() == 0
    # It is said once.
    third = serve(data=node.data, env=later)
    assert third.request("plain").text == ""
    assert third.stop() == 0 and "missed" not in third.log_text()


def test_a_run_may_end_when_the_node_ends(serve):
    node = serve(env=FAST)
    node.deploy("plain", FUNCTIONS.replace("await gate.wait()", "await asyncio.sleep(0.3)"),
                {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
    assert schedule(node, "plain", "1-59 * * * *").success
    node.wait_log("holds")
    assert node.stop() == 0
    assert "held" in node.log_text()
