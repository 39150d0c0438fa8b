"""Debian's Chromium without a window, by its DevTools protocol."""
import asyncio
import itertools
import json
import re
import shutil
import subprocess

import pytest
import websockets

from harness import DEADLINE

PROGRAM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions", "--remote-debugging-port=0"]


class Browser:
    """async with Browser(folder) as b: page = await b.open(url); await page.run("document.title")"""

    def __init__(self, folder):
        if not PROGRAM:
            pytest.skip("chromium is not installed: script/packages has it among those for tests")
        self.folder, self.numbers, self.answers = folder, itertools.count(1), {}

    async def __aenter__(self):
        self.process = subprocess.Popen([PROGRAM, *FLAGS, "--user-data-dir=%s" % self.folder, "about:blank"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log = await asyncio.wait_for(asyncio.to_thread(self._address), DEADLINE)
        self.socket = await websockets.connect(self.log, max_size=None, ping_interval=None)
        self.reader = asyncio.create_task(self._read())
        return self

    def _address(self):
        said = b""
        for line in self.process.stderr:
            said += line
            found = re.search(rb"DevTools listening on (ws://\S+)", line)
            if found:
                return found[1].decode()
        raise AssertionError("chromium has ended: %r" % said[-2000:])

    async def _read(self):
        async for text in self.socket:
            message = json.loads(text)
            if message.get("id") in self.answers:
                self.answers.pop(message["id"]).set_result(message)

    async def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        self.answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}))
        answer = await asyncio.wait_for(self.answers[number], DEADLINE)
        assert "error" not in answer, answer
        return answer["result"]

    async def open(self, url):
        target = (await self.call("Target.createTarget", url=url))["targetId"]
        page = Page(self, target, (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"])
        await page.when("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page

    async def __aexit__(self, *_):
        self.reader.cancel()
        await self.socket.close()
        self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session

    async def run(self, code):
        """The value of an expression, awaited."""
        answer = await self.browser.call("Runtime.evaluate", self.session, expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def when(self, code):
        """Its value once it is true."""
        until = asyncio.get_running_loop().time() + DEADLINE
        while True:
            value = await self.run("(() => { try { return %s } catch { return false } })()" % code)
            if value:
                return value
            assert asyncio.get_running_loop().time() < until, "never came true: %s\n%s" % (code, await self.run("document.body?.innerText"))
            await asyncio.sleep(0.02)

    async def close(self):
        await self.browser.call("Target.closeTarget", targetId=self.target)
