"""JSON in a column: json_extract, ->>, json_set, json_each, a generated column."""
import json

from js import Response


async def on_fetch(request, env):
    db = env.DB
    for user, data in {"ada": {"theme": "dark", "tags": ["a", "b"], "n": 1}, "bob": {"theme": "light", "tags": [], "address": {"city": "Zürich"}}}.items():
        await db.prepare("INSERT INTO profiles (user, data) VALUES (?, json(?)) ON CONFLICT DO UPDATE SET data = excluded.data").bind(user, json.dumps(data)).run()
    await db.prepare("UPDATE profiles SET data = json_set(data, '$.n', ?, '$.seen', json('true')) WHERE user = ?").bind(2, "ada").run()
    city = await db.prepare("SELECT data ->> '$.address.city' AS city FROM profiles WHERE user = 'bob'").first("city")
    themes = await db.prepare("SELECT user, theme FROM profiles WHERE theme = ? OR json_extract(data, '$.theme') = ?").bind("light", "dark").all()
    tags = (await db.prepare("SELECT user, value FROM profiles, json_each(profiles.data, '$.tags') ORDER BY 1, 2").raw()).to_py()
    ada = json.loads((await db.prepare("SELECT data FROM profiles WHERE user = ?").bind("ada").first()).data)
    grouped = await db.prepare("SELECT json_group_array(json_object('user', user, 'theme', theme)) AS all_of_them FROM profiles").first("all_of_them")
    some = await db.prepare("SELECT user FROM profiles WHERE user IN (SELECT value FROM json_each(?))").bind(json.dumps(["ada", "eve"])).all()
    return Response.new(json.dumps({"city": city, "themes": [[row.user, row.theme] for row in themes.results], "tags": tags, "ada": ada,
                                    "grouped": json.loads(grouped), "some": [row.user for row in some.results]}))
