"""HTMLRewriter: what workerd makes of the same cases (rewriter_cases/, recorded by tools/rewriter-cases), and Python's handlers."""
import json
from pathlib import Path

import pytest

from conftest import finish, start
from origin import Raw

pytestmark = pytest.mark.asan

CASES = Path(__file__).with_name("rewriter_cases")


@pytest.mark.parametrize("in_pieces", [False, True])
def test_cases(lab, in_pieces):
    files = [CASES / "prelude.js"] + sorted(f for f in CASES.glob("*.js") if f.name != "prelude.js")
    script = "(async () => {%s; return JSON.stringify(await runCases(%s)); })()" % ("".join(f.read_text() for f in files), json.dumps(in_pieces))
    answer = lab.run("return Response.new(await js.eval(await request.text()))", method="POST", body=script.encode())
    assert answer.status == 200, answer.text
    results, expected = json.loads(answer.text), json.loads((CASES / "expected.json").read_text())
    wrong = ["%s:\n    %s\n  not\n    %s" % (name, "\n    ".join(results[name]), "\n    ".join(lines))
             for name, lines in expected.items() if results[name] != lines]
    assert not wrong, "%d of %d\n%s" % (len(wrong), len(expected), "\n".join(wrong))
    assert len(results) == len(expected) >= 190


PYTHON = '''
    from js import HTMLRewriter, Object
    from pyodide.ffi import create_proxy, to_js
    import asyncio
    seen = []

    class Links:
        def __init__(self, attribute):
            self.attribute = attribute

        def element(self, element):
            value = element.getAttribute(self.attribute)
            if value:
                element.setAttribute(self.attribute, value.replace("http://", "https://"))
            seen.append([element.tagName, [list(pair) for pair in element.attributes], element.getAttribute("nothing")])
            element.onEndTag(create_proxy(lambda end: end.before("!")))

        def comments(self, comment):
            comment.remove()

    class Slow:
        async def element(self, element):
            await asyncio.sleep(0)
            element.append("<late>")
            element.prepend("<b>now</b>", to_js({"html": True}, dict_converter=Object.fromEntries))
            element.after("<i>", html=True)

        async def text(self, text):
            await asyncio.sleep(0)
            seen.append([text.text, text.lastInTextNode])

    class Document:
        def end(self, end):
            end.append("the end", {"html": False})

    page = Response.new('<a href="http://x/">l<!--c--></a><p>text</p>', headers=to_js({"Content-Type": "text/html", "Content-Length": "46"}, dict_converter=Object.fromEntries))
    rewriter = HTMLRewriter.new().on("a", create_proxy(Links("href"))).on("p", create_proxy(Slow())).onDocument(create_proxy(Document()))
    changed = rewriter.transform(page)
    assert changed.headers.get("content-length") is None and changed.headers.get("content-type") == "text/html"
    return Response.new(json.dumps([await changed.text(), seen]))
'''


def test_handlers_of_python(lab):
    text, seen = json.loads(lab.run(PYTHON).text)
    assert text == ('<a href="https://x/">l!</a><p><b>now</b>text&lt;late&gt;</p><i>the end')
    assert seen == [["a", [["href", "https://x/"]], None], ["text", False], ["", True]]


def test_what_handlers_of_python_raise(lab):
    answer = lab.run('''
    from js import HTMLRewriter
    from pyodide.ffi import create_proxy

    class Bad:
        def element(self, element):
            raise KeyError("of the handler")

    changed = HTMLRewriter.new().on("p", create_proxy(Bad())).transform(Response.new("<p>x"))
    try:
        await changed.text()
    except KeyError as e:
        return Response.new("raised %r" % e)
    ''')
    assert answer.text == "raised KeyError('of the handler')"


def test_a_page_streams_through(lab):
    """What came is sent on before the rest is there; a client that does not read stops the source."""
    answer = lab.run('''
    from js import HTMLRewriter, ReadableStream, Uint8Array
    from pyodide.ffi import create_proxy, to_js
    import asyncio
    pulls, later = 0, asyncio.Event()

    class Source:
        async def pull(self, controller):
            nonlocal pulls
            pulls += 1
            if pulls == 2:
                await later.wait()
            if pulls == 5:
                controller.close()
            else:
                controller.enqueue(to_js(b"<p>%d</p>" % pulls))

    class P:
        def element(self, element):
            element.setAttribute("n", "1")

    source = ReadableStream.new(create_proxy(Source()))
    reader = HTMLRewriter.new().on("p", create_proxy(P())).transform(Response.new(source)).body.getReader()
    first = (await reader.read()).value.to_bytes().decode()
    before = pulls
    later.set()
    rest = b""
    while not (read := await reader.read()).done:
        rest += read.value.to_bytes()
    return Response.new(json.dumps([first, before, rest.decode()]))
    ''')
    first, before, rest = json.loads(answer.text)
    assert first == '<p n="1">1</p>' and before <= 2
    assert rest == '<p n="1">2</p><p n="1">3</p><p n="1">4</p>'


JAVASCRIPT = """
class Include {
  constructor(url) { this.url = url; }
  async element(element) {
    console.log(`including ${element.getAttribute('src')}`);
    element.replace(await fetch(this.url + element.getAttribute('src')), { html: true });
  }
}
export default {
  async fetch(request, env) {
    const page = new Response('<p><include src="/one"></include><include src="/two"></include>', { headers: { 'content-type': 'text/html' } });
    return new HTMLRewriter().on('include', new Include(env.PARTS)).transform(page);
  },
};
"""


def test_a_worker_in_javascript_puts_other_pages_in(tmp_path):
    """Its handlers run for the request whose answer is read: they may fetch, and what they log is that request's."""
    parts = Raw({name: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                 for name, body in (("one", b"<i>1</i>"), ("two", b"\xc3\xa9"))})
    one = start(tmp_path / "includes", {"index.js": JAVASCRIPT, "wrangler.toml":
                'name = "includes"\nmain = "index.js"\ncompatibility_date = "2026-04-01"\n[vars]\nPARTS = "%s"\n' % parts.url})
    assert one.get().text == "<p><i>1</i>\u00e9"
    one.wait_log(r"\[includes:inf\] including /one\n(.|\n)*including /two")
    finish(one)
    parts.close()
