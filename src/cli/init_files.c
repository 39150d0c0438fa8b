/* init_files.c - see init_files.h.  Each template is served and deployed by a test. */
#include "cli/init_files.h"

#include <stddef.h>

#define CONFIG                                                                                     \
    "name = \"@NAME@\"\n"                                                                          \
    "main = \"src/entry.py\"\n"                                                                    \
    "compatibility_date = \"@DATE@\"\n"                                                            \
    "compatibility_flags = [\"python_workers\"]\n"

#define IGNORE                                                                                     \
    ".corral/\n"                                                                                   \
    ".wrangler/\n"                                                                                 \
    ".dev.vars*\n"                                                                                 \
    ".env*\n"                                                                                      \
    "__pycache__/\n"

static const char PYTHON[] = "from workers import Response, WorkerEntrypoint\n"
                             "\n"
                             "\n"
                             "class Default(WorkerEntrypoint):\n"
                             "    async def fetch(self, request):\n"
                             "        return Response(\"Hello world!\")\n";

static const char FASTAPI[] = "import asgi\n"
                              "from fastapi import FastAPI, Request\n"
                              "from workers import WorkerEntrypoint\n"
                              "\n"
                              "app = FastAPI()\n"
                              "\n"
                              "\n"
                              "@app.get(\"/\")\n"
                              "async def root(request: Request):\n"
                              "    return {\"message\": request.scope[\"env\"].GREETING}\n"
                              "\n"
                              "\n"
                              "@app.get(\"/items/{item_id}\")\n"
                              "async def read_item(item_id: int, q: str = \"\"):\n"
                              "    return {\"item_id\": item_id, \"q\": q}\n"
                              "\n"
                              "\n"
                              "class Default(WorkerEntrypoint):\n"
                              "    async def fetch(self, request):\n"
                              "        return await asgi.fetch(app, request.js_object, self.env)\n";

static const char D1[] =
    "from workers import Response, WorkerEntrypoint\n"
    "\n"
    "# Without a database yet, the first request makes the table.  A project that grows keeps its\n"
    "# tables in migrations: `corral d1 migrations create`.\n"
    "TABLE = \"CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)\"\n"
    "\n"
    "\n"
    "class Default(WorkerEntrypoint):\n"
    "    async def fetch(self, request):\n"
    "        db = self.env.DB\n"
    "        await db.prepare(TABLE).run()\n"
    "        if request.method == \"POST\":\n"
    "            text = await request.text()\n"
    "            await db.prepare(\"INSERT INTO notes (text) VALUES (?)\").bind(text).run()\n"
    "            return Response(\"noted\\n\", status=201)\n"
    "        notes = await db.prepare(\"SELECT id, text FROM notes ORDER BY id\").all()\n"
    "        return Response.json([{\"id\": note.id, \"text\": note.text} for note in "
    "notes.results])\n";

const struct init_kind INIT_KINDS[] = {
    {"python",
     "",
     {{"wrangler.toml", CONFIG}, {"src/entry.py", PYTHON}, {".gitignore", IGNORE}, {NULL, NULL}}},
    {"fastapi",
     "",
     {{"wrangler.toml", CONFIG "\n[vars]\nGREETING = \"Hello world!\"\n"},
      {"src/entry.py", FASTAPI},
      {"requirements.txt", "fastapi\n"},
      {".gitignore", IGNORE},
      {NULL, NULL}}},
    {"d1",
     "The database is made where it is missing: on this machine by the first query, on a node by\n"
     "`corral deploy`, which finds it by its name.",
     {{"wrangler.toml",
       CONFIG "\n[[d1_databases]]\nbinding = \"DB\"\ndatabase_name = \"@NAME@\"\n"},
      {"src/entry.py", D1},
      {".gitignore", IGNORE},
      {NULL, NULL}}},
    {0},
};
