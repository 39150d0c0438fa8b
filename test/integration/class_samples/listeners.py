"""Events, timers and signals with Python functions, kept alive by create_proxy as Pyodide asks."""
import asyncio

from js import AbortController, AbortSignal, Event, EventTarget, Object, Promise, clearInterval, fetch, setInterval, setTimeout
from pyodide.ffi import create_once_callable, create_proxy, to_js
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        heard, target = [], EventTarget.new()
        on_ping = create_proxy(lambda event: heard.append(event.type))
        target.addEventListener("ping", on_ping)
        target.addEventListener("ping", create_once_callable(lambda event: heard.append("once")), to_js({"once": True}, dict_converter=Object.fromEntries))
        for _ in range(2):
            target.dispatchEvent(Event.new("ping"))
        target.removeEventListener("ping", on_ping)
        target.dispatchEvent(Event.new("ping"))
        on_ping.destroy()

        loop = asyncio.get_running_loop()
        fired = loop.create_future()
        setTimeout(create_once_callable(lambda: fired.set_result("timer")), 1)
        heard.append(await fired)

        ticks, enough = [], asyncio.Event()

        def tick():
            ticks.append(len(ticks))
            if len(ticks) == 3:
                clearInterval(timer)
                enough.set()
        tick_proxy = create_proxy(tick)
        timer = setInterval(tick_proxy, 1)
        await enough.wait()
        tick_proxy.destroy()
        heard.append(len(ticks))

        heard.append(await Promise.new(create_once_callable(lambda resolve, reject: setTimeout(resolve, 1, "resolved"))))
        controller = AbortController.new()
        setTimeout(create_once_callable(controller.abort), 1)
        for signal in (controller.signal, AbortSignal.timeout(1)):
            try:
                await fetch("https://example.com/slow", signal=signal)
            except Exception as e:
                heard.append(e.name)
        return Response.json(heard)
