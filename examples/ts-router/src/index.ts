import { Router } from "@/router";
import page from "./page.html";

interface Env {
  DB: D1Database;
}

interface Note {
  id: number;
  text: string;
}

const TABLE = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)";

async function readText(request: Request): Promise<string | undefined> {
  const body = await request.json<{ text?: unknown } | null>().catch(() => null);
  return typeof body?.text === "string" && body.text !== "" ? body.text : undefined;
}

const router = new Router<Env>()
  .add("GET", "/", () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }))
  .add("GET", "/notes", async (_, { DB }) => {
    const { results } = await DB.prepare("SELECT id, text FROM notes ORDER BY id").all<Note>();
    return Response.json(results);
  })
  .add("POST", "/notes", async (request, { DB }) => {
    const text = await readText(request);
    if (text === undefined) return Response.json({ error: "a note has a text" }, { status: 400 });
    const note = await DB.prepare("INSERT INTO notes (text) VALUES (?) RETURNING id, text").bind(text).first<Note>();
    return Response.json(note, { status: 201 });
  })
  .add("GET", "/notes/:id", async (_, { DB }, { id }) => {
    const note = await DB.prepare("SELECT id, text FROM notes WHERE id = ?").bind(id).first<Note>();
    return note ? Response.json(note) : Response.json({ error: "not found" }, { status: 404 });
  })
  .add("DELETE", "/notes/:id", async (_, { DB }, { id }) => {
    const { meta } = await DB.prepare("DELETE FROM notes WHERE id = ?").bind(id).run();
    return new Response(null, { status: meta.changes > 0 ? 204 : 404 });
  });

let isReady = false;

export default {
  async fetch(request, env) {
    if (!isReady) await env.DB.prepare(TABLE).run();
    isReady = true;
    return router.handle(request, env);
  },
} satisfies ExportedHandler<Env>;
