"""URL, URLSearchParams and text encodings: docs/compatibility.md names these tests."""
import pytest

from harness import run_cases, text

pytestmark = pytest.mark.asan



def test_url_by_the_standard(lab):
    run_cases(lab, "url_cases/url.js", 130)


def test_search_params_by_the_standard(lab):
    run_cases(lab, "url_cases/params.js", 100)


def test_request_url_is_normalised(lab):
    run = lambda path, host: text(lab, "return Response.new(request.url)", path=path, headers={"Host": host})
    assert run("/a/../b|c/%7e?x='%zz", "EXAMPLE.com:80") == "http://example.com/b|c/%7e?x=%27%zz"
    assert run("//x//y/./z/", "example.com:8080") == "http://example.com:8080//x//y/z/"
    code = "u = js.URL.new(request.url)\nreturn Response.new(' '.join([u.host, u.pathname, u.search]))"
    assert text(lab, code, path="/a/../b?x='", headers={"Host": "H:80"}) == "h /b ?x=%27"
    assert text(lab, code, path="/longer/path", headers={"Host": "other.example:81"}) == "other.example:81 /longer/path "


def test_url_in_python(lab):
    assert lab.value("""
        url = js.URL.new("../x?a=1&b=2#f", "https://example.com:8443/a/b/c")
        url.searchParams.append("c", 3)
        url.hash = ""
        return [str(url), url.pathname, url.host, url.port, url.origin, js.URL.canParse("nonsense"),
                js.URL.parse("nonsense") is None, url.searchParams.get("c"), url.searchParams.get("d") is None]
    """) == ["https://example.com:8443/a/x?a=1&b=2&c=3", "/a/x", "example.com:8443", "8443", "https://example.com:8443",
             False, True, "3", True]


def test_url_that_is_none_raises_js_exception(lab):
    outcome = lab.outcome("js.URL.new('nonsense')")
    assert outcome["error"] == "JsException" and outcome["text"] == "TypeError: Invalid URL string.", outcome
    outcome = lab.outcome("js.Request.new('/relative')")
    assert outcome["error"] == "JsException" and outcome["text"] == "TypeError: Invalid URL: /relative", outcome


def test_search_params_iterate_as_keys_in_python(lab):
    assert lab.value("""
        params = js.URL.new("http://h/?a=1&b=2&a=3").searchParams
        return [list(params), len(params), "a" in params, "x" in params, params["b"], list(params.getAll("a")),
                [list(pair) for pair in params.entries()]]
    """) == [["a", "b", "a"], 3, True, False, "2", ["1", "3"], [["a", "1"], ["b", "2"], ["a", "3"]]]


def test_search_params_of_python_values(lab):
    assert lab.value("""
        make = js.URLSearchParams.new
        return [str(make(value)) for value in (
            "?a=1", {"a": 1, "b": "x y"}, [("a", 1), ["b", 2.5]], {"a": "b"}.items(), (pair for pair in [("c", "d")]), None)]
    """) == ["a=1", "a=1&b=x+y", "a=1&b=2.5", "a=b", "c=d", ""]


def test_url_and_search_params_in_the_log(lab):
    mark = lab.mark()
    lab.value("""
        url = js.URL.new("https://example.org/foo?a=1")
        console.log(url)
        console.log(url.searchParams, js.URLSearchParams.new())
        return 1
    """)
    lab.wait_log(r"URL \{\n\s+href: 'https://example.org/foo\?a=1',\n\s+origin: 'https://example.org',\n\s+protocol: 'https:',\n"
                 r"\s+username: '',\n\s+password: '',\n\s+host: 'example.org',\n\s+hostname: 'example.org',\n\s+port: '',\n"
                 r"\s+pathname: '/foo',\n\s+search: '\?a=1',\n\s+searchParams: URLSearchParams \{ 'a' => '1' \},\n\s+hash: ''\n\s+\}", since=mark)
    lab.wait_log(r"URLSearchParams \{ 'a' => '1' \} URLSearchParams \{\}", since=mark)


# ---- text ----


def test_text_encodings_by_the_standard(lab):
    run_cases(lab, "url_cases/encoding.js", 280)


def test_text_decoder_of_many_encodings_in_python(lab):
    assert lab.value("""
        names = ["latin-1", "shift_jis", "euc_kr", "gb18030", "big5", "koi8-r", "utf-16-be"]
        labels = ["latin1", "sjis", "korean", "gb18030", "big5", "koi8", "utf-16be"]
        words = ["Gr\\u00fc\\u00dfe", "\\u65e5\\u672c\\u8a9e", "\\ud55c\\uad6d\\uc5b4", "\\u4e2d\\u6587", "\\u4e2d\\u6587", "\\u041f\\u0440\\u0438", "\\u00e9"]
        return [js.TextDecoder.new(label).decode(word.encode(name)) == word for name, label, word in zip(names, labels, words)]
    """) == [True] * 7
