"""CSV is taken in, by batches of bound statements and by one statement with many VALUES."""
import csv
import io
import json

from js import Response


def chunks(things, size):
    for at in range(0, len(things), size):
        yield things[at:at + size]


async def on_fetch(request, env):
    rows = list(csv.DictReader(io.StringIO(await request.text())))
    await env.DB.exec("DROP TABLE IF EXISTS imported; CREATE TABLE imported (id INTEGER PRIMARY KEY, name TEXT, score REAL)")
    insert = env.DB.prepare("INSERT INTO imported (name, score) VALUES (?, ?)")
    made = 0
    for chunk in chunks(rows, 50):
        results = await env.DB.batch([insert.bind(row["name"], float(row["score"]) if row["score"] else None) for row in chunk])
        made += sum(result.meta.changes for result in results)
    for chunk in chunks(rows, 33):
        values = ", ".join(["(?, ?)"] * len(chunk))
        flat = [value for row in chunk for value in (row["name"].upper(), row["score"] or None)]
        made += (await env.DB.prepare(f"INSERT INTO imported (name, score) VALUES {values}").bind(*flat).run()).meta.changes
    seen = await env.DB.prepare("SELECT count(*) n, count(score) scored, sum(score) total, max(name) last, typeof(max(score)) type FROM imported").first()
    return Response.new(json.dumps({"made": made, **seen.to_py()}))
