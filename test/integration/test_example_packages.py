"""examples/fastapi, django and numpy, as they are, with the packages that their requirements.txt names."""
import json
import re

import pytest

from conftest import finish, start

pytestmark = pytest.mark.asan
BOOK = {"title": "吾輩は猫である", "author": "夏目漱石", "price": 990}


@pytest.fixture
def serve(example):
    served = []

    def make(name, *flags):
        served.append(start(example(name), None, *flags))
        return served[-1]

    yield make
    for one in served:
        finish(one)


def order(served, **fields):
    return served.request("POST", "/orders", json.dumps(fields).encode(), {"content-type": "application/json"})


def test_example_fastapi(serve):
    served = serve("fastapi")
    assert served.get("/").json() == {"shop": "Corner bookshop", "books": 2}
    assert served.get("/books/1").json() == BOOK
    assert (served.get("/books/9").status, served.get("/books/9").json()) == (404, {"detail": "no such book"})
    assert served.get("/books/one").status == 422
    answer = order(served, book=2, copies=3)
    assert (answer.status, answer.json()) == (201, {"title": "銀河鉄道の夜", "total": 2310})
    answer = order(served, book=2, copies=0)
    assert answer.status == 422 and answer.json()["detail"][0]["loc"] == ["body", "copies"]
    answer = served.get("/page")
    assert answer.headers["content-type"] == "text/html; charset=utf-8" and "<h1>Corner bookshop</h1>" in answer.text
    assert "<li>銀河鉄道の夜, 宮沢賢治: 770 yen</li>" in answer.text
    assert "/orders" in served.get("/openapi.json").json()["paths"]


def test_example_django(serve):
    served = serve("django")
    answer = served.get("/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)[1]
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert "<h1>Corner bookshop</h1>" in answer.text and '<a href="/books/2/">銀河鉄道の夜</a>' in answer.text
    assert served.get("/books/1/").json() == BOOK
    assert served.get("/books/7/").status == 404
    assert served.get("/books/1").status == 301

    def post(**fields):
        body = "&".join(f"{name}={value}" for name, value in fields.items())
        return served.request("POST", "/basket/", body.encode(), {"content-type": "application/x-www-form-urlencoded", "cookie": cookie})

    assert post(book=1, copies=2).status == 403
    answer = post(csrfmiddlewaretoken=token, book=3, copies=0)
    assert answer.status == 400 and set(answer.json()["errors"]) == {"book", "copies"}
    answer = post(csrfmiddlewaretoken=token, book=1, copies=2)
    assert (answer.status, answer.headers["location"]) == (302, "/basket/")
    session = re.search(r"sessionid=[^;]+", answer.headers["set-cookie"])[0]
    answer = served.request("GET", "/basket/", headers={"cookie": session})
    assert answer.json() == {"basket": [{"title": BOOK["title"], "copies": 2}]}
    assert served.get("/basket/").json() == {"basket": []}


def test_example_numpy(serve):
    served = serve("numpy")

    def fit(text, query=""):
        answer = served.request("POST", "/" + query, text.encode())
        return answer.status, answer.json()

    assert fit("[[0, 1], [1, 2], [2, 5], [3, 10]]", "?degree=2") == (200, {"coefficients": [1, 0, 1], "error": 0})
    assert fit("[[0, 1], [1, 3], [2, 5.5]]") == (200, {"coefficients": [2.25, 0.916667], "error": 0.117851})
    for text in ("", "[", "{}", "[[1]]", '[["a", "b"]]', "[[0, 1], [1, 2]"):
        status, said = fit(text)
        assert status == 400 and said["error"], text
    assert fit("[[0, 1], [1, 2]]", "?degree=x")[0] == 400
    assert served.get("/").status == 405
