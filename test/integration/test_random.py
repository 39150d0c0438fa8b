"""Instances are forks of one template: whatever is random must differ between them all the same."""
import errno
import os
import random
import signal

import pytest

from harness import is_alive, until

# Packages may draw while they are imported: the state of every generator is then copied by fork.
PACKAGE = """
import os, random, secrets, uuid
random.random(); random.gauss(0, 1); uuid.uuid4(); secrets.token_hex(8)
own, mine, seeded = random.Random(), random.Random(7), random.Random()
mine.seed()
seeded.seed(7)
import numpy
numpy.random.random()
of_numpy, numpy_seeded = numpy.random.default_rng(), numpy.random.default_rng(7)
"""

SOURCE = """
import json, os, random, secrets, tempfile, uuid
import js
import lucky
from js import Response
from lucky import mine, own, seeded

js.Math.random()
words = {"set", "of", "some", "words"}

async def on_fetch(request, env):
    keys = await js.crypto.subtle.generateKey("X25519", True, ["deriveBits"])
    return Response.new(json.dumps({
        "pid": os.getpid(),
        "js.crypto.randomUUID": js.crypto.randomUUID(),
        "js.crypto.getRandomValues": list(js.crypto.getRandomValues(js.Uint8Array.new(16)).to_py()),
        "js.crypto.subtle.generateKey": (await js.crypto.subtle.exportKey("raw", keys.publicKey)).to_bytes().hex(),
        "js.Math.random": js.Math.random(),
        "random.random": random.random(),
        "random.gauss": random.gauss(0, 1),
        "random.randbytes": random.randbytes(8).hex(),
        "random.SystemRandom": random.SystemRandom().random(),
        "random.Random()": random.Random().random(),
        "random.Random() of a package": own.random(),
        "random.Random(7) seeded anew by a package": mine.random(),
        "with a seed of its own": seeded.random(),
        "uuid.uuid4": str(uuid.uuid4()),
        "secrets.token_hex": secrets.token_hex(16),
        "os.urandom": os.urandom(8).hex(),
        "tempfile": next(tempfile._get_candidate_names()),
        "set order": list(words),
        "numpy.random": lucky.numpy.random.random(),
        "numpy.random.default_rng() of a package": lucky.of_numpy.random(),
        "numpy with a seed of its own": lucky.numpy_seeded.random(),
    }))
"""

KINDS = ["js.crypto.randomUUID", "js.crypto.getRandomValues", "js.crypto.subtle.generateKey",
         "js.Math.random", "random.random", "random.gauss", "random.randbytes", "random.SystemRandom",
         "random.Random()", "random.Random() of a package", "random.Random(7) seeded anew by a package",
         "uuid.uuid4", "secrets.token_hex", "os.urandom", "tempfile", "numpy.random", "numpy.random.default_rng() of a package"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """First draws of six instances of one template."""
    import conftest
    one = conftest.start(tmp_path_factory.mktemp("random"), {"src/entry.py": SOURCE, "python_modules/lucky.py": PACKAGE, "requirements.txt": "numpy\n"})
    answers, template = [], one.wait_settled()[1][0].pid
    for _ in range(6):
        answer = until("an answer", lambda: next((a for a in [one.get()] if a.status == 200), None)).json()
        assert answer["pid"] not in {a["pid"] for a in answers}
        answers.append(answer)
        pid = one.outer(answer["pid"])
        os.kill(pid, signal.SIGKILL)
        until("it is gone", lambda: not is_alive(pid))
    assert [p.pid for p in one.templates()] == [template], "these were to be instances of one template"
    yield answers
    conftest.finish(one)


@pytest.mark.parametrize("kind", KINDS)
def test_differs_in_every_instance(drawn, kind):
    values = [a[kind] for a in drawn]
    assert len(set(map(str, values))) == len(values), values


def test_a_generator_with_a_seed_keeps_its_sequence(drawn):
    assert {a["with a seed of its own"] for a in drawn} == {random.Random(7).random()}
    assert len({a["numpy with a seed of its own"] for a in drawn}) == 1


def test_math_random_is_a_number_in_its_range(drawn):
    assert all(0 <= a["js.Math.random"] < 1 for a in drawn)


def test_the_order_of_a_set_may_be_equal(drawn):
    # One zygote, one hash seed: sets that the template made keep their order.
    assert len({tuple(a["set order"]) for a in drawn}) == 1


# ---- at top level ----

TOP_LEVEL = """
import json, os, random, secrets, tempfile, uuid
import helper, numpy
from random import choice, shuffle
from js import Response

tried = {}

def attempt(name, call):
    try:
        tried[name] = str(call())
    except Exception as e:
        tried[name] = [type(e).__name__, getattr(e, "errno", None), str(e)]

CALLS = {
    "os.urandom": lambda: os.urandom(4), "os.getrandom": lambda: os.getrandom(4), "secrets": lambda: secrets.token_hex(4),
    "uuid4": lambda: uuid.uuid4(), "SystemRandom": lambda: random.SystemRandom().random(), "Random()": lambda: random.Random(),
    "seed()": lambda: random.Random(7).seed(), "numpy default_rng()": lambda: numpy.random.default_rng(),
    "numpy RandomState()": lambda: numpy.random.RandomState(), "random.random": lambda: random.random(), "choice": lambda: choice([1, 2]),
    "random.seed": lambda: random.seed(1), "numpy.random.random": lambda: numpy.random.random(), "numpy.random.seed": lambda: numpy.random.seed(1),
    "Random(7)": lambda: random.Random(7).random(), "default_rng(7)": lambda: numpy.random.default_rng(7).random(),
    "uuid5": lambda: uuid.uuid5(uuid.NAMESPACE_DNS, "x"), "tempfile": lambda: tempfile._RandomNameSequence().__next__(),
}
for name, call in CALLS.items():
    attempt(name, call)
attempt("of a module of ours", lambda: helper.tried)

async def on_fetch(request):
    before = dict(tried)
    for name, call in CALLS.items():
        attempt(name, call)
    return Response.new(json.dumps([before, tried]))
"""
HELPER = """
import os
try:
    tried = os.urandom(4)
except OSError as e:
    tried = "refused"
"""


def test_top_level_code_gets_no_randomness(corral):
    one = corral({"src/entry.py": TOP_LEVEL, "src/helper.py": HELPER, "requirements.txt": "numpy\n"})
    before, after = one.get().json()
    no_entropy = ["os.urandom", "os.getrandom", "secrets", "uuid4", "SystemRandom", "Random()", "seed()", "numpy default_rng()", "numpy RandomState()"]
    for name in no_entropy:
        kind, code, said = before[name]
        assert (kind, code) == ("OSError", errno.EIO) and "Cannot get entropy outside of request context" in said, (name, before[name])
    blocked = {"random.random": "random.random()", "choice": "random.choice()", "random.seed": "random.seed()",
               "numpy.random.random": "numpy.random.random()", "numpy.random.seed": "numpy.random.seed()"}
    for name, call in blocked.items():
        kind, _, said = before[name]
        assert kind == "RuntimeError" and "Cannot use %s outside of request context" % call in said, (name, before[name])
    assert all(isinstance(before[name], str) for name in ("Random(7)", "default_rng(7)", "uuid5", "tempfile")), before
    assert before["of a module of ours"] == "refused"
    assert all(isinstance(value, str) for value in after.values()), after


@pytest.mark.parametrize("packages", ["numpy, aiohttp, werkzeug.security, fastapi", "tempfile, ssl, uuid, secrets, hashlib, http.client, sqlite3"],
                         ids=["packages", "the standard library"])
def test_packages_that_want_randomness_are_imported(corral, packages):
    source = "import sys\nimport %s\nfrom js import Response\n\ndef on_fetch(request):\n    return Response.new(str(len(sys.modules)))\n" % packages
    one = corral({"src/entry.py": source, "requirements.txt": "numpy\naiohttp\nwerkzeug\nfastapi\n"})
    assert int(one.get().text) > 50


DREW = """
import random, tempfile
DREW = [random.random(), random.Random().random(), next(tempfile._get_candidate_names())]
"""


def test_packages_of_two_templates_draw_different_numbers(corral):
    """What both are forked from has a state, too."""
    source = "import drew\nfrom js import Response\n\ndef on_fetch(request):\n    return Response.json([%d, *drew.DREW])\n"
    one, found = corral({"src/entry.py": source % 1, "python_modules/drew.py": DREW}), []
    for n in (1, 2):
        one.put("src/entry.py", source % n)
        found.append(until("version %d answers" % n, lambda: [a for a in [one.get().json()] if a[0] == n])[0])
    assert not set(found[0]) & set(found[1]), found


def test_uncaught_at_top_level_it_says_where_to_draw(corral):
    one = corral("import uuid\nID = uuid.uuid4()\n\ndef on_fetch(request):\n    pass\n", ready=False)
    one.wait_log(r"src/entry\.py")
    one.wait_log("Cannot get entropy outside of request context(.|\n)*Move it into a handler")
