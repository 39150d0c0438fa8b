"""Two pytest at once share the modules of one run: CORRAL_TEST_LANE names the folder in which each claims its next one.

script/test runs the suite in two lanes; whichever is through with a module takes the next that nobody has.  A module
is never cut: what its tests share (a node, a lab) is started once.  Who has been through the whole list leaves the
number of its tests in `through`: then nothing is left to claim, and so many tests must have been run by both."""
import os
import re
from pathlib import Path

import pytest

FOLDER = os.environ.get("CORRAL_TEST_LANE")


def is_mine(module):
    """Whoever makes the file has the module."""
    try:
        os.close(os.open(os.path.join(FOLDER, re.sub(r"[^\w.]", "_", module)), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """As pytest's own (_pytest.main), but module by module, each one claimed; behind each, all that it had is let go."""
    if not FOLDER or session.testsfailed or session.config.option.collectonly:
        return None
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    modules = {}
    for item in session.items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    for module, items in modules.items():
        if not is_mine(module):
            continue
        for item, following in zip(items, items[1:] + [None]):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    Path(FOLDER, "through").write_text("%d\n" % len(session.items))
    return True
