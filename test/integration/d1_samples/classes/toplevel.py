"""What is made when the module is loaded and used in handlers: the binding, a statement, a repository."""
from pathlib import Path

from workers import Response, WorkerEntrypoint, env

DB = env.DB
BY_ID = env.DB.prepare("SELECT name FROM items WHERE id = ?")
SCHEMA = """
-- made by hand; comments stay
CREATE TABLE IF NOT EXISTS loaded (
    id INTEGER PRIMARY KEY, -- the key
    name TEXT NOT NULL DEFAULT 'semi;colon'
);
CREATE TRIGGER IF NOT EXISTS loaded_upper AFTER INSERT ON loaded BEGIN
    UPDATE loaded SET name = upper(name) WHERE id = new.id;
END;
INSERT OR REPLACE INTO loaded (id, name) VALUES (1, 'it''s');
"""


class Repository:
    def __init__(self, db):
        self.db = db

    async def name(self, number):
        return await self.db.prepare("SELECT name FROM loaded WHERE id = ?").bind(number).first("name")


REPOSITORY = Repository(DB)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        done = await DB.exec(SCHEMA)
        return Response.json([done.count, await REPOSITORY.name(1), await BY_ID.bind(3).first("name"), (await DB.prepare("SELECT 1 AS a").first()).a])
