"""From a project to the answer: what a newcomer sees first."""
import re
import subprocess

import pytest

from harness import Corral, until

pytestmark = pytest.mark.asan


@pytest.fixture
def served(corral, example):
    folder = example("hello")
    return corral({"src/entry.py": (folder / "src/entry.py").read_text(),
                   "wrangler.toml": (folder / "wrangler.toml").read_text()})


def test_example_says_hello_world(served):
    answer = served.get()
    assert (answer.status, answer.reason, answer.text) == (200, "OK", "Hello world!")
    assert answer.headers["content-type"].lower().replace(" ", "") == "text/plain;charset=utf-8"


def test_ready_line_comes_when_it_really_answers(served):
    assert re.search(r"\[corral:inf\] Ready on http://localhost:%d\b" % served.port, served.log_text())
    assert served.get().status == 200  # at once, nothing is polled here


def test_every_request_is_logged_with_its_time(served):
    served.get("/")
    served.wait_log(r"\[corral:inf\] GET / 200 OK \(\d+(\.\d+)?ms\)")
    served.get("/some/path?x=1")
    served.wait_log(r"\[corral:inf\] GET /some/path 200 OK \(")


def test_one_connection_serves_many_requests(served):
    connection = served.connection()
    for _ in range(50):
        assert served.request("GET", "/", connection=connection).text == "Hello world!"
    sock = connection.sock
    assert sock is not None, "the connection was closed between requests"
    connection.close()


def test_head_has_the_head_and_no_body(served):
    with served.connect() as s:
        s.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and body == b""


def test_curl_agrees(served):
    out = subprocess.run(["curl", "-sS", "-i", "--max-time", "20", "http://localhost:%d/" % served.port],
                         stdout=subprocess.PIPE, check=True).stdout
    assert out.startswith(b"HTTP/1.1 200 OK\r\n") and out.endswith(b"\r\n\r\nHello world!")


def test_the_project_is_the_current_folder_when_none_is_named(served, example, corral):
    here = Corral(None, cwd=str(example("hello")))
    try:
        here.wait_ready()
        assert here.get().text == "Hello world!"
        here.stop()
    finally:
        here.close()


def test_a_path_with_a_space_and_an_accent(tmp_path, corral):
    from harness import HELLO, write_project
    folder = tmp_path / "a projéct here"
    folder.mkdir()
    one = Corral(write_project(folder, HELLO))
    try:
        one.wait_ready()
        assert one.get().text == "Hello world!"
    finally:
        one.close()


def test_many_clients_at_once(served):
    from harness import Load
    with Load(served, 16) as load:
        load.wait(800)
    assert load.statuses() == {200} and {text for _, text in load.results} == {"Hello world!"}
    until("the log has them all", lambda: served.log_text().count("GET / 200") >= len(load.results))
