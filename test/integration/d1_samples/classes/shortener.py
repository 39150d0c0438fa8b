"""Short links: a redirect that counts, a form that makes them."""
import secrets
from urllib.parse import urlparse

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request, env, ctx):
        path = urlparse(request.url).path
        if request.method == "POST":
            form = await request.form_data()
            slug = form.get("slug") or secrets.token_urlsafe(4)
            row = await env.DB.prepare("INSERT INTO links (slug, url) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING slug").bind(slug, form["url"]).first()
            return Response(row.slug, status=201) if row else Response("taken", status=409)
        if path.startswith("/stats/"):
            clicks = await env.DB.prepare("SELECT clicks FROM links WHERE slug = ?").bind(path[7:]).first("clicks")
            return Response.json({"clicks": clicks})
        link = await env.DB.prepare("UPDATE links SET clicks = clicks + 1 WHERE slug = ? RETURNING url").bind(path[1:]).first()
        if link:
            return Response.redirect(link["url"], 302)
        return Response("Not found", status=404)
