"""Jinja2 templates from files, one extending another."""
from pathlib import Path
from urllib.parse import parse_qsl, urlparse

from jinja2 import Environment, FileSystemLoader, TemplateNotFound, select_autoescape
from workers import Response, WorkerEntrypoint

templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(), trim_blocks=True)
templates.filters["price"] = lambda cents: f"{cents / 100:.2f}"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        try:
            template = templates.get_template(url.path.strip("/") + ".html")
        except TemplateNotFound as e:
            return Response(f"no template {e.name}", status=404)
        page = template.render(dict(parse_qsl(url.query)), things=[("rope", 1250), ("anvil & co", 99)])
        return Response(page, headers={"content-type": "text/html;charset=utf-8"})
