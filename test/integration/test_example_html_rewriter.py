"""examples/html-rewriter: its own page, and one that is fetched."""
import shutil

import pytest

import conftest
from harness import ROOT
from origin import Raw

pytestmark = pytest.mark.asan


def start(tmp_path, *flags):
    folder = tmp_path / "html-rewriter"
    shutil.copytree(ROOT / "examples" / "html-rewriter", folder)
    return conftest.start(folder, None, *flags)


def test_its_own_page(tmp_path):
    one = start(tmp_path)
    answer = one.get()
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.endswith(
        '<p><a href="https://new.example/shop?a=1&amp;b=2">the shop</a>, <a href="https://elsewhere.example/">elsewhere</a>\n'
        '<p><img src="https://new.example/logo.png" alt="the logo">\n\n<footer>rewritten on the way</footer>\n'), answer.text
    conftest.finish(one)


def test_a_page_of_somebody_else(tmp_path):
    page = b"<a HREF=http://old.example/x>\xe9</a>"
    raw = Raw({"": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=latin1\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)})
    one = start(tmp_path, "--var", "PAGE:%s/" % raw.url)
    answer = one.get()
    assert answer.body == b'<a HREF="https://new.example/x">\xe9</a><footer>rewritten on the way</footer>\n', answer.body
    conftest.finish(one)
    raw.close()
