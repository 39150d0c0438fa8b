"""examples/fastapi, django, numpy and built-in-packages, as they are, with the packages that their requirements.txt names."""
import http.server
import json
import re
import threading
from pathlib import Path

import pytest

from conftest import finish, start
from package_index import PackageIndex, wheel

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


class Page(http.server.BaseHTTPRequestHandler):
    agents = []
    body = '<title>目次</title><a href="/a">a</a><a name="b">b</a>'.encode()

    def do_GET(self):
        self.agents.append(self.headers["user-agent"])
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args):
        pass


def installed_as_wheel(name):
    """A package of Debian's, as the index of this test has it."""
    [about] = Path("/usr/lib/python3/dist-packages").glob(name + "-*.*-info")
    version = about.name.removeprefix(name + "-").rpartition(".")[0]
    packages = {"beautifulsoup4": "bs4", "soupsieve": "soupsieve"}
    folder = about.parent / packages[name]
    files = {str(file.relative_to(about.parent)): file.read_bytes() for file in folder.rglob("*.py")}
    return wheel(name, version, files, requires=["soupsieve"] if name == "beautifulsoup4" else [])


def test_example_built_in_packages(serve):
    with PackageIndex() as index, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        for name in ("beautifulsoup4", "soupsieve"):
            index.add(installed_as_wheel(name))
        index.add(wheel("html5lib", "1.1", {"html5lib.py": ""}))
        served = serve("built-in-packages", "--var", f"PAGE:http://127.0.0.1:{page.server_port}/", "--var", f"INDEX:{index.url}")
        assert served.get("/status").json() == {"status": 200, "type": "text/html; charset=utf-8", "bytes": len(Page.body)}
        assert Page.agents == ["built-in-packages"]
        assert served.get("/title").json() == {"title": "目次", "links": ["/a"]}
        assert any(path.endswith(".whl") for _, path, _ in index.requests), index.requests
        answer = served.get("/missing")
        assert answer.status == 502 and "Can't find a pure Python 3 wheel for 'html5lib==0.1'." in answer.text
        assert served.get("/title").json() == {"title": "目次", "links": ["/a"]}
        page.shutdown()
