"""SQL that is built: dynamic filters, an IN list, an order from a list of allowed ones."""
from urllib.parse import parse_qs, urlparse

from workers import Response, WorkerEntrypoint


class Select:
    def __init__(self, table):
        self.table, self.conditions, self.values, self.tail = table, [], [], ""

    def where(self, condition, *values):
        self.conditions.append(condition)
        self.values += values
        return self

    def among(self, column, values):
        return self.where(f"{column} IN ({', '.join('?' * len(values))})", *values) if values else self.where("0")

    def order(self, by):
        self.tail += f" ORDER BY {by}"
        return self

    async def on(self, db):
        sql = f'SELECT * FROM "{self.table}"' + (" WHERE " + " AND ".join(self.conditions) if self.conditions else "") + self.tail
        stmt = db.prepare(sql)
        return (await (stmt.bind(*self.values) if self.values else stmt).all()).results


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        query = parse_qs(urlparse(request.url).query, keep_blank_values=True)
        select = Select("items")
        if "ids" in query:
            select.among("id", [int(n) for n in query["ids"][0].split(",") if n])
        if "min" in query:
            select.where("price >= ?", float(query["min"][0]))
        if "like" in query:
            select.where("name LIKE ? ESCAPE '\\'", "%" + query["like"][0].replace("%", "\\%") + "%")
        rows = await select.order({"name": "name", "dear": "price DESC"}.get(query.get("by", [""])[0], "id")).on(self.env.DB)
        return Response.json([row.id for row in rows])
