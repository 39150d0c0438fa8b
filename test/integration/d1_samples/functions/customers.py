"""The table of Cloudflare's tutorial behind a small API."""
from js import URL, Response


async def on_fetch(request, env):
    pathname = URL.new(request.url).pathname
    if pathname == "/api/beverages":
        answer = await env.DB.prepare("SELECT * FROM Customers WHERE CompanyName = ?").bind("Bs Beverages").all()
        return Response.json(answer.results)
    if pathname.startswith("/api/customers/"):
        row = await env.DB.prepare("SELECT * FROM Customers WHERE CustomerId = ?1").bind(pathname.split("/")[-1]).first()
        if not row:
            return Response.new("Not found", status=404)
        return Response.json(row)
    if pathname == "/api/all":
        return Response.json(await env.DB.prepare("SELECT * FROM Customers ORDER BY CustomerId").all())
    if pathname == "/api/raw":
        return Response.json(await env.DB.prepare("SELECT CustomerId, ContactName FROM Customers LIMIT 2").raw())
    return Response.new("Call /api/beverages to see everyone who works at Bs Beverages")
