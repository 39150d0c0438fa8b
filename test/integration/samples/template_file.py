import json
from pathlib import Path
from string import Template

from js import Headers, Response

PAGE = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
DATA = json.loads((Path(__file__).parent / "data" / "people.json").read_text())


async def on_fetch(request):
    rows = "".join(f"<li>{p['name']}</li>" for p in DATA)
    return Response.new(PAGE.substitute(title="People", rows=rows), headers=Headers.new({"content-type": "text/html"}.items()))
