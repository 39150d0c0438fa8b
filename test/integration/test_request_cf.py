"""request.cf of every request, as --request-cf and corral.toml say it."""
import json

import pytest

pytestmark = pytest.mark.asan

CF = {"colo": "HOME", "country": "DE", "botManagement": {"score": 99}, "__proto__": 1, "own": [True, None]}
SCRIPT = """\
export default {
  fetch(request) {
    request.cf.colo += "!";
    return Response.json([request.cf, Object.keys(request.cf).length, request.cf.city === undefined, request.cf.botManagement.score]);
  },
};
"""
PYTHON = """\
from js import Response

async def on_fetch(request, env):
    return Response.new(f"{request.cf.country} {request.cf.colo} {request.cf.city} {request.cf.httpProtocol}")
"""


def project(main, code, **config):
    return {"wrangler.json": json.dumps({"name": "w", "main": main, "compatibility_date": "2026-03-01", **config}), main: code}


def test_of_dev(corral, tmp_path):
    path = tmp_path / "cf.json"
    path.write_text(json.dumps(CF))
    one = corral(project("src/index.js", SCRIPT), "--request-cf", str(path))
    seen, count, has_no_city, score = one.get().json()
    assert (count, has_no_city, score) == (len(CF) + 1, True, 99)
    assert seen == {**CF, "httpProtocol": "HTTP/1.1", "colo": "HOME!"}
    assert one.get().json()[0]["colo"] == "HOME!"      # each request has one of its own


@pytest.mark.parametrize("text, said", [
    ("[1]", "request_cf '{}': it must be an object"), ('{"a": }', "request_cf {}:1:7"), ('{"a": "%s"}' % ("x" * 65536), "is longer than 65536 bytes"),
    (None, "request_cf '{}'"),
], ids=["list", "no JSON", "long", "not there"])
def test_what_is_wrong_with_the_file(corral, tmp_path, text, said):
    path = tmp_path / "cf.json"
    if text is not None:
        path.write_text(text)
    one = corral(project("src/index.js", SCRIPT), "--request-cf", str(path), ready=False)
    assert one.wait_exit() == 2
    assert said.format(path) in one.log_text()


def test_of_a_node(serve, tmp_path):
    (tmp_path / "cf.json").write_text(json.dumps(CF))
    config = tmp_path / "corral.toml"
    config.write_text('request_cf = "cf.json"\n')
    node = serve("--config", str(config))
    about = {"compatibility_date": "2024-03-29", "compatibility_flags": ["python_workers"]}
    node.deploy("one", {"entry.py": PYTHON}, about)
    assert node.get("one").body == b"DE HOME None HTTP/1.1"
