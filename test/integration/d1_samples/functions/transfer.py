"""A transaction with batch; what fails is told, and nothing of it stays."""
import json

from js import Response
from pyodide.ffi import JsException, to_js


async def on_fetch(request, env):
    db = env.DB
    amount = int(request.url.split("?amount=")[1])
    take = db.prepare("UPDATE accounts SET balance = balance - ? WHERE name = ?").bind(amount, "alice")
    give = db.prepare("UPDATE accounts SET balance = balance + ? WHERE name = ?").bind(amount, "bob")
    try:
        done = await db.batch(to_js([give, take]))
        said = [each.meta.changes for each in done]
    except JsException as e:
        said = str(e)
    left = await db.prepare("SELECT name, balance FROM accounts ORDER BY name").all()
    return Response.new(json.dumps({"said": said, "left": {row.name: row.balance for row in left.results}}))
