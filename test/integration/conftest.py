"""Fixtures: `corral` starts one for a test, `lab` is shared by the tests of a module; `serve` starts a `corral serve`."""
import shutil
import signal

import pytest

import harness
from harness import BIN, HELLO, LAB, PATIENCE, ROOT, Corral, orphans, until, write_project
from lanes import pytest_runtestloop  # noqa: F401  (a hook)
from serve import Serve

TEST_SECONDS = 120 * PATIENCE


def pytest_configure(config):
    config.addinivalue_line("markers", "asan: also run against MODE=asan (script/test)")
    config.addinivalue_line("markers", "rel: not against MODE=asan, in a module that is: waits, or reaches nothing new in C")
    config.addinivalue_line("markers", "apart: real clients and long runs, beside the others (script/test)")
    config.addinivalue_line("markers", "long: takes longer than usual; may use ten minutes")
    harness.adopt_orphans()


def pytest_collection_finish(session):
    if session.items and not session.config.option.collectonly:
        harness.make_packages()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """No test hangs: an alarm ends the one that does."""
    seconds = 600 if item.get_closest_marker("long") else TEST_SECONDS

    def ring(signum, frame):
        raise TimeoutError("the test took longer than %d s" % seconds)

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


running = []  # Every Corral of this process that is not closed yet.


def start(folder, files=HELLO, *flags, ready=True, name="hello", **more):
    if files is not None:
        write_project(folder, files, name)
    one = Corral(folder, *flags, **more)
    running.append(one)
    try:
        if ready:
            one.wait_ready()
    except BaseException:
        finish(one)
        raise
    return one


def finish(one):
    one.close()
    print("---- output of %s" % " ".join(one.arguments))
    print(one.log_text())
    running.remove(one)


def assert_clean():
    known = {one.pid for one in running}
    until(lambda: "no process is left behind: %r" % (orphans(known),), lambda: not orphans(known))


@pytest.fixture
def corral(tmp_path):
    """start(files=HELLO, *flags, ready=True, env=None, port=0) -> Corral, in a project of its own."""
    mine = []

    def make(files=HELLO, *flags, **more):
        folder = tmp_path / ("project%d" % len(mine) if mine else "project")
        folder.mkdir()
        mine.append(start(folder, files, *flags, **more))
        return mine[-1]

    yield make
    for one in mine:
        finish(one)
    assert_clean()


@pytest.fixture
def hello(corral):
    return corral()


@pytest.fixture(scope="module")
def shared_corral(tmp_path_factory):
    """As corral, but what it starts lives until the module's tests are over."""
    mine = []

    def make(files, *flags, **more):
        mine.append(start(tmp_path_factory.mktemp("project"), files, *flags, **more))
        return mine[-1]

    yield make
    for one in mine:
        finish(one)
    assert_clean()


@pytest.fixture(scope="module")
def lab(request, tmp_path_factory):
    """One worker for the whole module that runs the Python it is sent: see harness.LAB.

    LAB_REQUIREMENTS of the module: the text of its requirements.txt; LAB_ENV: of the node, harness.ONE for what one test's
    requests leave for one another."""
    files = {"src/entry.py": LAB, "requirements.txt": getattr(request.module, "LAB_REQUIREMENTS", "")}
    one = start(tmp_path_factory.mktemp("lab"), {name: text for name, text in files.items() if text}, name="lab",
                env=getattr(request.module, "LAB_ENV", None))
    until("the lab answers", lambda: one.get().status == 200)
    yield one
    survived = one.is_running()
    finish(one)
    assert survived, "the node died during these tests"
    assert_clean()


def start_serve(data, *flags, ready=True, **more):
    one = Serve(data, *flags, **more)
    running.append(one)
    try:
        if ready:
            one.wait_ready()
    except BaseException:
        finish(one)
        raise
    return one


@pytest.fixture
def serve(tmp_path):
    """start(*flags, data=None, ready=True, account="main", env=None ...) -> serve.Serve; each has a data folder of its own
    unless `data` says which."""
    mine = []

    def make(*flags, data=None, **more):
        folder = data or tmp_path / ("data%d" % len(mine) if mine else "data")
        mine.append(start_serve(folder, *flags, **more))
        return mine[-1]

    yield make
    for one in mine:
        finish(one)
    assert_clean()


@pytest.fixture(scope="module")
def shared_serve(tmp_path_factory):
    """As serve, but what it starts lives until the module's tests are over."""
    mine = []

    def make(*flags, data=None, **more):
        mine.append(start_serve(data or tmp_path_factory.mktemp("node") / "data", *flags, **more))
        return mine[-1]

    yield make
    for one in mine:
        finish(one)
    assert_clean()


@pytest.fixture
def example(tmp_path):
    """A copy of a folder under examples/, without what somebody has built there."""
    def copy(name):
        target = tmp_path / "examples" / name
        shutil.copytree(ROOT / "examples" / name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("build"))
        return target
    return copy


def pytest_report_header():
    return "corral: %s" % BIN
