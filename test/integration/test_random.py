"""Instances are forks of one template: whatever is random must differ between them all the same."""
import os
import random
import signal

import pytest

from harness import is_alive, until

SOURCE = """
import json, os, random, secrets, tempfile, uuid
import js
from js import Response

# Drawn in the template, on purpose: the state of every generator is then copied by fork.
random.random(); random.gauss(0, 1); js.Math.random(); uuid.uuid4(); secrets.token_hex(8)
own, mine, seeded = random.Random(), random.Random(7), random.Random()
mine.seed()
seeded.seed(7)
words = {"set", "of", "some", "words"}

async def on_fetch(request, env):
    return Response.new(json.dumps({
        "pid": os.getpid(),
        "js.Math.random": js.Math.random(),
        "random.random": random.random(),
        "random.gauss": random.gauss(0, 1),
        "random.randbytes": random.randbytes(8).hex(),
        "random.SystemRandom": random.SystemRandom().random(),
        "random.Random()": random.Random().random(),
        "random.Random() made at top level": own.random(),
        "random.Random(7) seeded anew at top level": mine.random(),
        "with a seed of its own": seeded.random(),
        "uuid.uuid4": str(uuid.uuid4()),
        "secrets.token_hex": secrets.token_hex(16),
        "os.urandom": os.urandom(8).hex(),
        "tempfile": next(tempfile._get_candidate_names()),
        "set order": list(words),
    }))
"""

KINDS = ["js.Math.random", "random.random", "random.gauss", "random.randbytes", "random.SystemRandom",
         "random.Random()", "random.Random() made at top level", "random.Random(7) seeded anew at top level",
         "uuid.uuid4", "secrets.token_hex", "os.urandom", "tempfile"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """First draws of six instances of one template."""
    import conftest
    one = conftest.start(tmp_path_factory.mktemp("random"), SOURCE)
    answers, template = [], one.wait_settled()[1][0].pid
    for _ in range(6):
        answer = until("an answer", lambda: next((a for a in [one.get()] if a.status == 200), None)).json()
        assert answer["pid"] not in {a["pid"] for a in answers}
        answers.append(answer)
        os.kill(answer["pid"], signal.SIGKILL)
        until("it is gone", lambda: not is_alive(answer["pid"]))
    assert [p.pid for p in one.templates()] == [template], "these were to be instances of one template"
    yield answers
    conftest.finish(one)


@pytest.mark.parametrize("kind", KINDS)
def test_differs_in_every_instance(drawn, kind):
    values = [a[kind] for a in drawn]
    assert len(set(map(str, values))) == len(values), values


def test_a_generator_with_a_seed_keeps_its_sequence(drawn):
    assert {a["with a seed of its own"] for a in drawn} == {random.Random(7).random()}


def test_math_random_is_a_number_in_its_range(drawn):
    assert all(0 <= a["js.Math.random"] < 1 for a in drawn)


def test_the_order_of_a_set_may_be_equal(drawn):
    # One zygote, one hash seed: sets that the template made keep their order.
    assert len({tuple(a["set order"]) for a in drawn}) == 1
