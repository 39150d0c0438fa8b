"""A worker in JavaScript, as JavaScript's own pages show it."""
from pyodide.code import run_js

worker = run_js(r"""
const json = (value, init) => Response.json(value, init);

class Shelf {
  constructor(db) { this.db = db; }
  async all() { const { results } = await this.db.prepare("SELECT * FROM items WHERE price > ? ORDER BY id").bind(11).all(); return results; }
  async one(id) { return this.db.prepare("SELECT * FROM items WHERE id = ?").bind(id).first(); }
}

const routes = {
  "/beverages": async (request, env) => {
    const { results } = await env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = ?").bind("Bs Beverages").all();
    return json(results);
  },
  "/shelf": async (request, env) => {
    const shelf = new Shelf(env.DB);
    return json({ all: (await shelf.all()).map(({ id }) => id), one: await shelf.one("3"), none: await shelf.one(1000) });
  },
  "/batch": async (request, env) => {
    const companyName1 = `Bs Beverages`, companyName2 = `Around the Horn`;
    const stmt = env.DB.prepare(`SELECT * FROM Customers WHERE CompanyName = ?`);
    const [a, b] = await env.DB.batch([stmt.bind(companyName1), stmt.bind(companyName2)]);
    return json([a.results.length, b.results[0].ContactName, a.success, typeof a.meta.duration]);
  },
  "/session": async (request, env) => {
    const bookmark = request.headers.get("x-d1-bookmark") ?? "first-unconstrained";
    const session = env.DB.withSession(bookmark);
    const result = await session.prepare("INSERT INTO log (line) VALUES ('js') RETURNING line").run();
    return json(result.results, { headers: { "x-d1-bookmark": session.getBookmark() ?? "" } });
  },
  "/errors": async (request, env) => {
    const said = [];
    for (const work of [
      () => env.DB.prepare("SELECT * FROM missing").all(),
      () => env.DB.prepare("SELECT ?").bind(undefined).first(),
      () => env.DB.prepare("INSERT INTO accounts VALUES ('alice', 1)").run(),
      () => env.DB.exec("SELECT 1;\nSELEC 2;"),
      () => env.DB.prepare("SELECT 1 AS a").first("b"),
    ]) try { await work(); said.push("fine"); } catch (e) { said.push([e.message, e.cause?.message ?? null, e.stack.split("\n")[0] === `Error: ${e.message}`]); }
    return json(said);
  },
  "/types": async (request, env) => {
    const bytes = new Uint8Array([1, 2, 255]);
    const row = await env.DB.prepare("SELECT ? AS i, ? AS f, ? AS s, ? AS b, ? AS n, ? AS blob, ? AS buffer").bind(1, 1.5, "x", true, null, bytes, bytes.buffer).first();
    return json(row);
  },
  "/first": async (request, env) => json([
    await env.DB.prepare("SELECT COUNT(*) AS total FROM items").first("total"),
    await env.DB.prepare("SELECT * FROM items WHERE 0").first(),
    (await env.DB.prepare("SELECT id, name FROM items LIMIT 2").raw()).flat(),
    (await env.DB.prepare("SELECT id, name FROM items LIMIT 1").raw({ columnNames: true })),
    await env.DB.exec("SELECT 1").then(({ count }) => count),
  ]),
  "/stream": async (request, env) => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter(), encoder = new TextEncoder();
    (async () => {
      for (let last = 0; ;) {
        const { results } = await env.DB.prepare("SELECT id, name FROM items WHERE id > ? ORDER BY id LIMIT 7").bind(last).all();
        if (!results.length) break;
        await writer.write(encoder.encode(results.map((row) => JSON.stringify(row) + "\n").join("")));
        last = results.at(-1).id;
      }
      await writer.close();
    })();
    return new Response(readable);
  },
  "/insert": async (request, env) => {
    const people = await request.json();
    const insert = env.DB.prepare("INSERT INTO people (name, email, age, active) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (email) DO UPDATE SET name = excluded.name");
    const done = await env.DB.batch(people.map(({ name, email, age = null, active = true }) => insert.bind(name, email, age, active)));
    const { results } = await env.DB.prepare("SELECT name, age, active FROM people WHERE email LIKE '%@js.example' ORDER BY email").run();
    return json({ changes: done.map((each) => each.meta.changes), people: results.map((row) => ({ ...row, active: !!row.active })) }, { status: 201 });
  },
};

({
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (!routes[pathname]) return new Response("Not found", { status: 404 });
    try { return await routes[pathname](request, env, ctx); } catch (e) { return json({ error: e.message }, { status: 500 }); }
  },
})
""")


async def on_fetch(request, env, ctx):
    return await worker.fetch(request, env, ctx)
