"""What Cloudflare's pages of D1 show for Python, method by method."""
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what = request.url.rsplit("/", 1)[1]
        return await getattr(self, what)()

    async def tables(self):
        results = await self.env.DB.prepare("PRAGMA table_list").run()
        return Response.json(results)

    async def bound(self):
        some_variable = "Bs Beverages"
        stmt = self.env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = ? AND CustomerId = ?").bind(some_variable, 11)
        return_value = await stmt.run()
        return Response.json(return_value)

    async def batch(self):
        stmt = self.env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = ?")
        batch_result = await self.env.DB.batch(to_js([stmt.bind("Bs Beverages"), stmt.bind("Around the Horn")]))
        return Response.json(batch_result)

    async def own_list(self):
        stmt = self.env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = ?")
        return Response.json(await self.env.DB.batch([stmt.bind("Bs Beverages"), stmt.bind("Around the Horn")]))

    async def script(self):
        return_value = await self.env.DB.exec('SELECT * FROM Customers WHERE CompanyName = "Bs Beverages"')
        return Response.json(return_value)

    async def raw(self):
        stmt = self.env.DB.prepare("SELECT CustomerId, ContactName FROM Customers WHERE CompanyName = ?").bind("Bs Beverages")
        return Response.json(await stmt.raw())

    async def names(self):
        stmt = self.env.DB.prepare("SELECT CustomerId, ContactName FROM Customers WHERE CompanyName = ?").bind("Bs Beverages")
        return Response.json(await stmt.raw(columnNames=True))

    async def first(self):
        row = await self.env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = 'Around the Horn'").first()
        total = await self.env.DB.prepare("SELECT COUNT(*) AS total FROM Customers").first("total")
        return Response.json([row, total])

    async def session(self):
        session = self.env.DB.withSession("first-primary")
        before = session.getBookmark()
        await session.prepare("SELECT * FROM Customers WHERE CompanyName = 'Bs Beverages'").run()
        bookmark = session.getBookmark()
        return Response.json([bool(before), type(bookmark).__name__, len(bookmark) > 10])
