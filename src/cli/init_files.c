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

#define JSON_CONFIG(main)                                                                          \
    "{\n"                                                                                          \
    "  \"name\": \"@NAME@\",\n"                                                                    \
    "  \"main\": \"" main "\",\n"                                                                  \
    "  \"compatibility_date\": \"@DATE@\"\n"                                                       \
    "}\n"

#define PACKAGE_HEAD                                                                               \
    "{\n"                                                                                          \
    "  \"name\": \"@NAME@\",\n"                                                                    \
    "  \"private\": true,\n"                                                                       \
    "  \"scripts\": {\n"                                                                           \
    "    \"dev\": \"corral dev\",\n"                                                               \
    "    \"deploy\": \"corral deploy\"\n"                                                          \
    "  }"

/* The bundler needs none of these: editors and tsc do. */
#define TYPE_PACKAGES                                                                              \
    ",\n"                                                                                          \
    "  \"devDependencies\": {\n"                                                                   \
    "    \"@cloudflare/workers-types\": \"^4\",\n"                                                 \
    "    \"typescript\": \"^5\"\n"                                                                 \
    "  }"

static const char TSCONFIG[] = "{\n"
                               "  \"compilerOptions\": {\n"
                               "    \"target\": \"es2022\",\n"
                               "    \"module\": \"es2022\",\n"
                               "    \"moduleResolution\": \"bundler\",\n"
                               "    \"lib\": [\"es2022\"],\n"
                               "    \"types\": [\"@cloudflare/workers-types\"],\n"
                               "    \"strict\": true,\n"
                               "    \"noEmit\": true,\n"
                               "    \"isolatedModules\": true,\n"
                               "    \"skipLibCheck\": true\n"
                               "  },\n"
                               "  \"include\": [\"src\"]\n"
                               "}\n";

static const char TYPESCRIPT[] =
    "export interface Env {\n"
    "  // what wrangler.jsonc binds: DB: D1Database; GREETING: string;\n"
    "}\n"
    "\n"
    "export default {\n"
    "  async fetch(request, env, ctx): Promise<Response> {\n"
    "    return new Response(\"Hello World!\");\n"
    "  },\n"
    "} satisfies ExportedHandler<Env>;\n";

static const char JAVASCRIPT[] = "export default {\n"
                                 "  async fetch(request, env, ctx) {\n"
                                 "    return new Response(\"Hello World!\");\n"
                                 "  },\n"
                                 "};\n";

#define NODE_IGNORE "node_modules/\n.corral/\n.wrangler/\n.dev.vars*\n.env*\n"

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
     "py",
     "",
     {{"wrangler.toml", CONFIG}, {"src/entry.py", PYTHON}, {".gitignore", IGNORE}, {NULL, NULL}}},
    {"typescript",
     "ts",
     "`npm install` brings the types for your editor; to serve and to deploy it is not needed.",
     {{"wrangler.jsonc", JSON_CONFIG("src/index.ts")},
      {"src/index.ts", TYPESCRIPT},
      {"tsconfig.json", TSCONFIG},
      {"package.json", PACKAGE_HEAD TYPE_PACKAGES "\n}\n"},
      {".gitignore", NODE_IGNORE},
      {NULL, NULL}}},
    {"javascript",
     "js",
     "",
     {{"wrangler.jsonc", JSON_CONFIG("src/index.js")},
      {"src/index.js", JAVASCRIPT},
      {"package.json", PACKAGE_HEAD "\n}\n"},
      {".gitignore", NODE_IGNORE},
      {NULL, NULL}}},
    {"fastapi",
     "",
     "",
     {{"wrangler.toml", CONFIG "\n[vars]\nGREETING = \"Hello world!\"\n"},
      {"src/entry.py", FASTAPI},
      {"requirements.txt", "fastapi\n"},
      {".gitignore", IGNORE},
      {NULL, NULL}}},
    {"d1",
     "",
     "The database is made where it is missing: on this machine by the first query, on a node by\n"
     "`corral deploy`, which finds it by its name.",
     {{"wrangler.toml",
       CONFIG "\n[[d1_databases]]\nbinding = \"DB\"\ndatabase_name = \"@NAME@\"\n"},
      {"src/entry.py", D1},
      {".gitignore", IGNORE},
      {NULL, NULL}}},
    {0},
};
