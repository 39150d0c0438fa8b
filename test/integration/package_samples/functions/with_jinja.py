"""A template of a folder, filled with what the request asks."""
import os
from urllib.parse import parse_qs, urlparse

from jinja2 import Environment, FileSystemLoader, select_autoescape
from js import Response

pages = Environment(loader=FileSystemLoader(os.path.join(os.path.dirname(__file__), "pages")), autoescape=select_autoescape())


async def on_fetch(request, env):
    query = parse_qs(urlparse(request.url).query)
    html = pages.get_template("hello.html").render(name=query.get("name", ["nobody"])[0], message=env.MESSAGE)
    return Response.new(html, headers=[["content-type", "text/html;charset=UTF-8"]])
