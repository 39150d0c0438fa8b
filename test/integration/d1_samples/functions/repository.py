"""The binding goes to a module of its own; every operation, None and booleans among the values."""
import json

from js import Response
from store import People


async def on_fetch(request, env):
    people = People(env)
    for old in ("ada", "bob", "eve"):
        await people.remove(f"{old}@store.example")
    ada = await people.add(name="Ada", email="ada@store.example", age=36, active=True)
    bob = await people.add(name="bob", email="bob@store.example", age=None, active=False)
    eve = await people.add(name="Eve", email="eve@store.example", age=18)
    ada.pop("id"), bob.pop("id")
    return Response.new(json.dumps({
        "ada": ada, "bob": bob, "active": bool(eve["active"]), "none": await people.find("no@store.example"),
        "changed": [await people.change("bob@store.example", age=40, active=True), await people.change("no@store.example", age=1)],
        "bob now": (await people.find("bob@store.example"))["age"], "adults": await people.adults(),
        "removed": [await people.remove("eve@store.example"), await people.remove("eve@store.example")]}))
