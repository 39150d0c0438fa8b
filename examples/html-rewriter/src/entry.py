from js import HTMLRewriter
from pyodide.ffi import create_proxy
from workers import Response, WorkerEntrypoint, fetch

OLD, NEW = "http://old.example", "https://new.example"
PAGE = """<!doctype html>
<title>A page</title>
<h1>Links</h1>
<p><a href="http://old.example/shop?a=1&amp;b=2">the shop</a>, <a href="https://elsewhere.example/">elsewhere</a>
<p><img src="http://old.example/logo.png" alt="the logo">
<!-- for nobody's eyes -->
"""


class Attribute:
    """Leads from the old address to the new one."""

    def __init__(self, name):
        self.name = name

    def element(self, element):
        value = element.getAttribute(self.name)
        if value and value.startswith(OLD):
            element.setAttribute(self.name, NEW + value[len(OLD):])


class Document:
    def comments(self, comment):
        comment.remove()

    async def end(self, end):
        end.append("<footer>rewritten on the way</footer>\n", html=True)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        page = getattr(self.env, "PAGE", "")
        response = await fetch(page) if page else Response(PAGE, headers={"content-type": "text/html; charset=utf-8"})
        if not response.headers.get("content-type", "").startswith("text/html"):
            return response
        rewriter = (HTMLRewriter.new()
                    .on("a[href]", create_proxy(Attribute("href")))
                    .on("img", create_proxy(Attribute("src")))
                    .onDocument(create_proxy(Document())))
        return rewriter.transform(response.js_object)
