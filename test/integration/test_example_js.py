"""examples/js-hello and examples/ts-router: what their READMEs promise."""
import json

import pytest

from conftest import finish, start

pytestmark = pytest.mark.asan


@pytest.fixture
def served(example):
    mine = []

    def make(name):
        mine.append(start(example(name), None))
        return mine[-1]

    yield make
    for one in mine:
        finish(one)


def test_example_js_hello(served):
    one = served("js-hello")
    assert one.get().text == "Hello, world!\n"
    assert one.request("POST", "/", b"Ada").text == "Hello, Ada!\n"


def test_example_ts_router(served):
    one = served("ts-router")
    answer = one.get()
    assert answer.headers["content-type"] == "text/html; charset=utf-8" and "<h1>Notes</h1>" in answer.text
    assert one.get("/notes").json() == []
    for n, text in enumerate(["buy milk", "'); DROP TABLE notes; --"], 1):
        answer = one.request("POST", "/notes", json.dumps({"text": text}).encode())
        assert (answer.status, answer.json()) == (201, {"id": n, "text": text})
    for body in (b"", b"null", b"[]", b'{"text": 1}', b'{"text": ""}'):
        answer = one.request("POST", "/notes", body)
        assert (answer.status, answer.json()) == (400, {"error": "a note has a text"}), body
    assert one.get("/notes/1").json() == {"id": 1, "text": "buy milk"} and one.get("/notes/3").status == 404
    assert [one.request("DELETE", "/notes/1").status for _ in range(2)] == [204, 404]
    assert [note["id"] for note in one.get("/notes").json()] == [2]
    answer = one.request("PUT", "/notes")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST") and one.get("/x").status == 404
