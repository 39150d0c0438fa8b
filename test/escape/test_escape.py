"""Each attempt, in each tier: what a layer promises to stop is stopped, for requests and for top-level code.

And each is proven to be one: without the box it succeeds.  README.md lists them."""
import re

import pytest

from harness import BIN
from tiers import IS_ROOT, TIERS
from trials import ALWAYS, ANYBODY, INSTANCE, NOT, OWN, ROOT, TABLE, TEMPLATE, UNBOXED, proof, trials

pytestmark = pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="the box is wider under sanitizers")

# Tiers where accounts that do not trust each other may be on one node (box_is_for_strangers), and what stays open there.
# With Landlock alone names can be asked about, though not opened; descriptors of one's own opened once more; the host's name be seen.
OPEN = {"full": set(), "unprivileged": set(), "namespaces": set(),
        "landlock": {"host_file_exists", "process_exists", "own_program", "own_descriptors_reopened", "name_of_the_host"}}


def ready(tier):
    reason = tier.can_run()
    if reason:
        pytest.skip(reason)
    return trials(tier)


def pytest_generate_tests(metafunc):
    if "tier" not in metafunc.fixturenames:
        return
    if "name" in metafunc.fixturenames:
        pairs = [(tier, name) for tier in TIERS for name in TABLE]
        metafunc.parametrize("tier,name", pairs, ids=["%s-%s" % (tier.name, name) for tier, name in pairs])
    else:
        metafunc.parametrize("tier", TIERS, ids=[tier.name for tier in TIERS])


def test_it_is_stopped(tier, name):
    tried, attempt = ready(tier), TABLE[name]
    if not tried.promised(attempt):
        # That is said in the table of tiers, and a node is not for strangers there.
        assert tier.expected() in ("none", "seccomp") or name in OPEN[tier.expected()], tried.outcomes[name, INSTANCE]
        return
    for stage in (INSTANCE, TEMPLATE):
        outcome = tried.outcomes.get((name, stage))
        assert outcome is None or outcome["got"] is None, (tier.name, stage, attempt.title, outcome["got"])
    if name in tried.own:
        assert tried.own[name]["got"], "it would not have succeeded at what is the worker's own, either: %r" % (tried.own[name],)


def test_nobody_is_harmed(tier):
    tried = ready(tier)
    if tier.expected() in OPEN:
        assert tried.harm == []


def test_nothing_is_left_behind(tier):
    tried = ready(tier)
    if "pids" in tried.layers:
        assert tried.left == []


def test_what_the_kernel_says_of_them(tier):
    tried = ready(tier)
    node, found = tried.status
    assert {kind for kind, *_ in found} == {"template", "instance"}
    for kind, status, spaces, limits, environment in found:
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", kind
        # Who has no rights cannot give up those of the bounding set, and with no_new_privs need not.
        for which in ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (["CapBnd"] if tier.is_root or "user" in tried.layers else []):
            assert int(status[which], 16) == 0, (kind, which, status[which])
        assert limits["Max core file size"][:2] == ["0", "0"]
        assert b"corral-plant" not in environment and b"PYTEST" not in environment
        uids = set(status["Uid"].split())
        assert len(uids) == 1 and (uids != {"0"} if "uid" in tried.layers else uids == {str(tier.uid)}), (kind, uids)
        for layer, names in (("tree", ["mnt"]), ("pids", ["pid"]), ("net", ["net"]), ("ipc", ["ipc", "uts", "cgroup"]), ("user", ["user"])):
            for name in names:
                assert (spaces[name] != node[name]) == (layer in tried.layers), (kind, name)


# ---- the proof ----

PROVEN = [name for name, attempt in TABLE.items() if attempt.proof in (ANYBODY, ROOT)]


@pytest.mark.parametrize("name", PROVEN)
def test_without_the_box_root_succeeds(name):
    succeeds(name, True)


@pytest.mark.parametrize("name", [name for name in PROVEN if TABLE[name].proof == ANYBODY])
def test_without_the_box_a_user_succeeds(name):
    succeeds(name, False)


def unboxed(is_root):
    reason = UNBOXED[is_root].can_run() if IS_ROOT or not is_root else "it takes root to be root"
    if reason:
        pytest.skip(reason)
    return proof(is_root)


def succeeds(name, is_root):
    proven = unboxed(is_root)
    outcome = proven.outcomes[name]
    if not outcome["got"] and name in proven.plain and not proven.plain[name]["got"]:
        pytest.skip("this machine refuses it to everybody: %s" % proven.plain[name]["stopped"])
    assert outcome["got"], (TABLE[name].title, outcome["stopped"])


@pytest.mark.parametrize("is_root", [True, False], ids=["root", "user"])
def test_without_the_box_signals_arrive(is_root):
    """What the attempts of the kind say of themselves is true: the victim has heard."""
    proven = unboxed(is_root)
    assert len(proven.victim["heard"]) >= 6 and proven.victim["memory"] != "host memory 4711"


# ---- the table ----


def test_there_are_enough():
    assert len(TABLE) >= 120
    assert len([a for a in TABLE.values() if a.proof != NOT]) >= 100
    layers = {layer for attempt in TABLE.values() for layer in attempt.layers}
    assert layers == {"seccomp", "landlock", "tree", "pids", "net", "ipc", "user", "uid"} | ALWAYS


def test_the_list_is_up_to_date():
    from listing import HERE, listing
    assert (HERE / "README.md").read_text() == listing(), "run test/escape/listing.py"
