"""examples/websocket: the echo, and the chat in a real browser."""
import json
import shutil

import pytest

from browser import Browser
from conftest import finish, start
from harness import ROOT
from websocket_client import closed, connect, run

LINES = "[...document.querySelectorAll('#lines li')].map((line) => line.textContent)"
SAY = "document.getElementById('text').value = %s, document.querySelector('button').click()"


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "websocket"
    shutil.copytree(ROOT / "examples" / "websocket", folder)
    one = start(folder, None, env={"CORRAL_TEST_INSTANCES": "1"})     # rooms are in one
    yield one
    survived = one.is_running()
    finish(one)
    assert survived


def test_example_websocket_by_a_client(chat):
    async def talk():
        async with connect(chat, "/echo") as ws:
            for message in ("hi", b"\x00\xff", "x" * 100000):
                await ws.send(message)
                assert await ws.recv() == message
        async with connect(chat, "/chat?room=r&name=ada") as ada, connect(chat, "/chat?room=r") as other, connect(chat, "/chat?room=s&name=far"):
            assert [json.loads(await ada.recv()) for _ in range(2)] == [{"from": None, "text": "ada is here", "people": 1},
                                                                       {"from": None, "text": "somebody is here", "people": 2}]
            await other.recv()
            await ada.send("hello \U0001f600")
            assert json.loads(await other.recv()) == {"from": "ada", "text": "hello \U0001f600", "people": 2}
            await ada.send("x" * 1001)
            assert await closed(ada) == (1008, "only text of at most 1000 characters")
            assert json.loads(await other.recv())["text"] == "ada has left"
    run(talk())
    assert chat.get("/echo").status == 426 and chat.get("/nothing").status == 404


def test_example_websocket_in_a_browser(chat, tmp_path):
    async def talk():
        async with Browser(tmp_path) as browser:
            base = "http://localhost:%d/?room=%s&name=" % (chat.port, "kitchen")
            ada = await browser.open(base + "ada")
            await ada.when("document.getElementById('state').textContent === 'ada in kitchen, with 0 more'")
            bob = await browser.open(base + "bob")
            await ada.when("document.getElementById('state').textContent === 'ada in kitchen, with 1 more'")
            await ada.run(SAY % '"hello, <b>bob</b>"')
            await bob.when("document.querySelectorAll('#lines li').length === 2")
            await bob.run(SAY % '"\\u{1f600}"')
            await ada.when("document.querySelectorAll('#lines li').length === 4")
            assert await ada.run(LINES) == ["ada is here", "bob is here", "ada: hello, <b>bob</b>", "bob: \U0001f600"]
            assert await bob.run(LINES) == ["bob is here", "ada: hello, <b>bob</b>", "bob: \U0001f600"]
            await bob.close()
            await ada.when("document.querySelectorAll('#lines li').length === 5")
            assert (await ada.run(LINES))[-1] == "bob has left"
            # The browser's own client, against the echo.
            assert await ada.run("""new Promise((resolve) => {
                const heard = [], ws = new WebSocket(`ws://${location.host}/echo`);
                ws.binaryType = "arraybuffer";
                ws.onopen = () => { ws.send("a"); ws.send(new Uint8Array([0, 255])); ws.send("x".repeat(200000)); };
                ws.onmessage = ({ data }) => { heard.push(data.length ?? [...new Uint8Array(data)]); if (heard.length === 3) ws.close(4000, "done"); };
                ws.onclose = ({ code, reason, wasClean }) => resolve([heard, code, reason, wasClean, ws.extensions]);
            })""") == [[1, [0, 255], 200000], 4000, "done", True, ""]
    run(talk())
