"""examples/js-module: a redirect, and a JSON API through the js module."""
import shutil

import pytest

from conftest import finish, start
from harness import ROOT
from origin import Origin

pytestmark = pytest.mark.asan


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "js-module"
    shutil.copytree(ROOT / "examples" / "js-module", folder)
    api = Origin()
    one = start(folder, None, "--var", "API:%s/todo?n=1" % api.url)
    yield one
    finish(one)
    api.close()


def test_example_js_module(served):
    answer = served.get()
    assert answer.status == 200 and answer.headers["content-type"] == "application/json;charset=UTF-8"
    said = answer.json()
    assert (said["method"], said["path"]) == ("GET", "/todo?n=1") and ["accept", "application/json"] in said["headers"]
    served.wait_log(r"\[js-module:inf\] Response \{(.|\n)*status: 200,(.|\n)*'content-type': 'application/json'")
    answer = served.get("/old?x")
    assert (answer.status, answer.headers["location"], answer.body) == (307, "http://127.0.0.1:%d/" % served.port, b"")
