"""examples/d1-api: the bookshelf, made by its schema.sql, used over HTTP, kept over a restart."""
import json
import shutil
import subprocess

import pytest

from conftest import finish, start
from harness import BIN, DEADLINE, ROOT

pytestmark = pytest.mark.asan

BOOKS = [
    {"title": "吾輩は猫である", "description": "夏目漱石、猫の目で見た人間"},
    {"title": "銀河鉄道の夜", "description": "宮沢賢治 🚂✨ \"quotes\" 'and' more\nof it"},
    {"title": "0", "description": "'); DROP TABLE books; --"},
]


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "d1-api"
    shutil.copytree(ROOT / "examples" / "d1-api", copy, ignore=shutil.ignore_patterns(".corral"))
    return copy


def execute(folder, *arguments):
    done = subprocess.run([str(BIN / "corral"), "d1", "execute", "bookshelf", *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def post(served, body, **headers):
    return served.request("POST", "/", body.encode(), {"content-type": "application/json", **headers})


def test_example_d1_api(folder):
    execute(folder, "--file=schema.sql")
    served = start(folder, None)
    try:
        answer = served.get()
        assert (answer.status, answer.json()) == (200, []) and answer.headers["access-control-allow-origin"] == "*"
        for n, book in enumerate(BOOKS, 1):
            answer = post(served, json.dumps(book, ensure_ascii=n == 1))
            assert (answer.status, answer.json()) == (201, {"id": n, **book})
        for body in ("", "{", "null", '"text"', "[]", "{}", '{"title": "a"}', '{"description": "a"}', '{"title": "", "description": "a"}'):
            answer = post(served, body)
            assert answer.status == 400 and answer.json()["error"], body
            assert answer.headers["content-type"] == "application/json"
        for method in ("PUT", "DELETE", "PATCH"):
            assert served.request(method, "/").status == 405
        assert served.request("OPTIONS", "/").status == 204
        # The command line sees what the worker wrote, and the other way round, while it runs.
        rows = json.loads(execute(folder, "--json", "--command=SELECT title FROM books ORDER BY id"))[0]["results"]
        assert rows == [{"title": book["title"]} for book in BOOKS]
        execute(folder, "--command=UPDATE books SET title = 'こころ' WHERE id = 3")
        assert served.get().json()[2]["title"] == "こころ"
    finally:
        finish(served)
    again = start(folder, None)
    try:
        assert [book["title"] for book in again.get().json()] == ["吾輩は猫である", "銀河鉄道の夜", "こころ"]
    finally:
        finish(again)
