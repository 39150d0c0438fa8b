"""examples/wasm-c, wasm-rust and wasm-go: built from their sources, by [build] of their configurations."""
import shutil

import pytest

from conftest import finish, start


@pytest.fixture
def serve(example):
    served = []

    def make(name, *tools):
        for tool in tools:
            if not shutil.which(tool):
                pytest.skip("%s is not installed: script/packages has it" % tool)
        served.append(start(example(name), None))
        return served[-1]

    yield make
    for one in served:
        finish(one)


def count(served, text):
    answer = served.request("POST", "/", text, {"content-type": "text/plain"})
    return answer.status, answer.body.decode()


def test_example_wasm_c(serve):
    served = serve("wasm-c", "make", "clang", "wasm-ld-14")
    assert count(served, b"The cat, the dog; and THE bird. A cat!") == (200, "3 the\n2 cat\n1 a\n1 and\n1 bird\n1 dog\n")
    assert count(served, b"") == (200, "")
    assert count(served, b"word " * 1_000_000) == (200, "1000000 word\n")       # memory grows
    assert count(served, b"\xff\x00 a") == (200, "1 a\n")
    assert (served.get().status, served.get().headers["allow"]) == (405, "POST")


GLIDER = [".#..........", "..#.........", "###........."]


def test_example_wasm_rust(serve):
    served = serve("wasm-rust", "make", "/usr/bin/rustc")
    assert served.get("/").body.decode() == "\n".join(GLIDER + ["." * 12] * 9) + "\n"
    # A glider is one further, both ways, after four steps, and where it began after 48.
    moved = ["." * 12] + ["." + line[:-1] for line in GLIDER] + ["." * 12] * 8
    assert served.get("/?steps=4").body.decode() == "\n".join(moved) + "\n"
    assert served.get("/?steps=48").body == served.get("/").body
    for steps in ("-1", "1.5", "many", "10001"):
        assert served.get("/?steps=" + steps).status == 400


def test_example_wasm_go(serve):
    served = serve("wasm-go", "make", "go")
    assert served.get("/hello?name=world").body == b"GET /hello: hello, WORLD\n"
    assert served.get("/").body == b"GET /: hello, GO\n"
    assert served.request("PUT", "/a%20b?name=%C3%A9", b"").body.decode() == "PUT /a b: hello, É\n"
