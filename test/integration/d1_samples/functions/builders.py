"""JavaScript's query builders, in small: they make SQL and parameters, and take rows in all three shapes."""
from pyodide.code import run_js

worker = run_js(r"""
// In the way of drizzle: rows as arrays, mapped by the names of the schema.
const column = (name, read = (v) => v) => ({ name, read });
const items = { $: "items", number: column("id"), label: column("name"), cost: column("price", (v) => v.toFixed(2)) };
const select = (db, table) => {
  const names = Object.keys(table).filter((key) => key !== "$"), where = [], params = [];
  return {
    where(name, op, value) { where.push(`"${table[name].name}" ${op} ?`); params.push(value); return this; },
    async then(done, failed) {
      try {
        const sql = `select ${names.map((name) => `"${table[name].name}"`).join(", ")} from "${table.$}"${where.length ? " where " + where.join(" and ") : ""} order by 1`;
        const rows = await db.prepare(sql).bind(...params).raw();
        done(rows.map((row) => Object.fromEntries(names.map((name, i) => [name, table[name].read(row[i])]))));
      } catch (e) { failed(e); }
    },
  };
};

// In the way of kysely: a dialect that says how many rows have changed, as a bigint.
class Connection {
  constructor(db) { this.db = db; }
  async executeQuery({ sql, parameters }) {
    const results = await this.db.prepare(sql).bind(...parameters).all();
    if (results.error) throw new Error(results.error);
    const numAffectedRows = results.meta.changes > 0 ? BigInt(results.meta.changes) : undefined;
    return { insertId: results.meta.last_row_id == null ? undefined : BigInt(results.meta.last_row_id), rows: results?.results || [], numAffectedRows };
  }
}

// In the way of tagged templates.
const tagged = (db) => (parts, ...values) => db.prepare(parts.join("?")).bind(...values);

({
  async fetch(request, env, ctx) {
    const cheap = await select(env.DB, items).where("cost", "<", 1.6).where("label", "like", "item%");
    const connection = new Connection(env.DB);
    const made = await connection.executeQuery({ sql: "insert into todos (title, done) values (?, ?), (?, ?)", parameters: ["a", true, "b", false] });
    const read = await connection.executeQuery({ sql: "select title, done from todos where id > ? order by id", parameters: [Number(made.insertId) - 2] });
    const sql = tagged(env.DB), name = "O'Brien";
    const said = await sql`select ${name} as name, ${1} + ${2} as sum`.first();
    const [{ results: [{ n }] }] = await env.DB.batch([sql`select count(*) as n from items where id <= ${7}`]);
    return Response.json({ cheap, made: String(made.numAffectedRows), read: read.rows, none: String(read.numAffectedRows), said, n });
  },
})
""")


async def on_fetch(request, env, ctx):
    return await worker.fetch(request, env, ctx)
