"""The Cache API, from JavaScript and from Python: docs/compatibility.md names these tests."""
import pytest

from harness import run_cases

pytestmark = pytest.mark.asan


def test_caches_by_the_standard(lab):
    run_cases(lab, "body_cases/cache.js", 150)


def test_caches_from_python(lab):
    assert lab.value("""
        from js import Object, Request, Response, caches
        from pyodide.ffi import to_js
        url = "https://cache.test/python"
        init = to_js({"headers": {"cache-control": "max-age=60", "x-a": "b"}}, dict_converter=Object.fromEntries)
        before = await caches.default.match(url)
        await caches.default.put(Request.new(url), Response.new("from Python", init))
        found = await caches.default.match(url)
        named = await caches.open("other")
        return [before is None, found.status, found.headers["x-a"], await found.text(), await named.match(url) is None,
                await caches.default.delete(url), await caches.default.delete(url)]
    """) == [True, 200, "b", "from Python", True, True, False]


def test_caches_outlive_requests_and_are_of_use_to_all_instances(lab):
    code = """
        from js import Object, Response, caches
        from pyodide.ffi import to_js
        if request.method == "POST":
            await caches.default.put(url, Response.new("kept", to_js({"headers": {"cache-control": "max-age=60"}}, dict_converter=Object.fromEntries)))
            return None
        return await (await caches.default.match(url)).text()
    """.replace("url", repr("https://cache.test/shared"))
    assert lab.value(code, method="POST") is None
    assert lab.value(code) == "kept"


KEEPER = """\
from js import Object, Response, caches
from pyodide.ffi import to_js
URL = "https://cache.test/of-mine"

async def on_fetch(request, env):
    if request.method == "PUT":
        kept = to_js({"headers": {"cache-control": "max-age=600"}}, dict_converter=Object.fromEntries)
        await caches.default.put(URL, Response.new(await request.text(), kept))
    found = await caches.default.match(URL)
    return Response.new("nothing" if found is None else await found.text())
"""


def test_an_account_has_its_own(serve):
    node = serve()
    node.add_account("other")
    about = {"compatibility_date": "2024-03-29", "compatibility_flags": ["python_workers"]}
    for name, account in (("one", None), ("two", None), ("one", "other")):
        node.deploy(name, {"entry.py": KEEPER}, about, account=account)
    assert node.request("one", "/", "PUT", b"mine").body == b"mine"
    assert node.request("one", account="other").body == b"nothing"
    assert node.request("one", "/", "PUT", b"others", account="other").body == b"others"
    # As workers of one zone share it on Cloudflare.
    assert [node.request(name).body for name in ("one", "two")] == [b"mine", b"mine"]
