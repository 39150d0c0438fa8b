"""Every mistake that a newcomer makes gets a message that says what to do."""
import re

import pytest

from harness import ERROR, HELLO, LAB, WRANGLER, until


def complains(corral, files, *patterns, **more):
    """Start with a mistake in it; the whole output, once each pattern is there."""
    one = corral(files, ready=False, **more)
    for pattern in patterns:
        one.wait_log(pattern)
    assert not re.search(r"Assertion|Sanitizer|core dumped", one.log_text())
    return one


def page(corral, one):
    """What a browser would see, if it serves."""
    if not one.is_running():
        return None
    one.wait_ready()
    answer = one.get()
    assert answer.status == 500
    return answer.text


# ---- before anything runs ----


def test_no_config_file(corral):
    one = complains(corral, {"src/entry.py": HELLO, "wrangler.txt": ""}, ERROR + r".*wrangler\.toml")
    assert one.wait_exit() != 0
    assert re.search(r"wrangler\.jsonc?", one.log_text())


def test_state_folder_that_cannot_be_one(corral, tmp_path):
    (tmp_path / "taken").write_text("a file")
    one = corral(HELLO, "--persist-to", str(tmp_path / "taken"), ready=False)
    assert one.wait_exit() == 1
    assert re.search(r"%s.*Not a directory\n.*--persist-to" % (tmp_path / "taken"), one.log_text())


def test_project_folder_that_does_not_exist(corral):
    from harness import BIN
    one = corral(None, command=[str(BIN / "corral"), "dev", "/nowhere/at/all"], ready=False)
    assert one.wait_exit() != 0
    assert "/nowhere/at/all" in one.log_text()


@pytest.mark.parametrize("text, line, column, shown", [
    ('name = "x"\nmain = \n', 2, 8, "main ="),
    ('name = "x\nmain = "y"\n', 1, None, 'name = "x'),
    ('[vars\nA = 1\n', 1, None, "[vars"),
    ('a = 1\na = 2\n', 2, None, "a = 2"),
], ids=["no value", "open string", "open table", "twice"])
def test_bad_toml_shows_file_line_column_and_the_line(corral, text, line, column, shown):
    one = complains(corral, {"wrangler.toml": text, "src/entry.py": HELLO},
                    r"wrangler\.toml:%d:%s" % (line, column or r"\d+"), re.escape(shown))
    assert one.wait_exit() != 0


@pytest.mark.parametrize("name", ["wrangler.json", "wrangler.jsonc"])
@pytest.mark.parametrize("text, line, shown", [
    ('{\n  "name": "x"\n  "main": "y"\n}\n', 3, '"main": "y"'),
    ('{\n  "name": x\n}\n', 2, '"name": x'),
    ('{\n  /* open\n  "name": "x"\n}\n', 2, "/* open"),
    ('{\n  "name": "x",\n', None, ""),
    ('["name"]\n', None, ""),
    ('', None, ""),
], ids=["no comma", "no quotes", "open comment", "cut", "array", "empty"])
def test_bad_json_shows_file_line_column_and_the_line(corral, name, text, line, shown):
    one = complains(corral, {name: text, "src/entry.py": HELLO},
                    re.escape(name) + (r":%d:\d+" % line if line else ""), re.escape(shown))
    assert one.wait_exit() != 0


def test_main_is_not_in_the_config(corral):
    one = complains(corral, {"wrangler.toml": 'name = "x"\n', "src/entry.py": HELLO}, ERROR + r"(.|\n)*\bmain\b")
    assert one.wait_exit() != 0


def test_main_names_a_file_that_is_not_there(corral):
    one = complains(corral, {"wrangler.toml": WRANGLER.format(name="x").replace("entry.py", "netry.py"),
                             "src/entry.py": HELLO}, ERROR + r"(.|\n)*src/netry\.py")
    one.wait_log(r"\bmain\b")


def test_main_outside_the_project(corral):
    complains(corral, {"wrangler.toml": WRANGLER.format(name="x").replace("src/entry.py", "../../etc/passwd"),
                       "src/entry.py": HELLO}, ERROR + r"(.|\n)*main")


@pytest.mark.parametrize("name, said", [("index.wasm", r"a WebAssembly module has no handlers(.|\n)*import module from"),
                                        ("index.rb", r"neither JavaScript nor TypeScript nor Python")])
def test_main_of_a_kind_that_is_none(corral, name, said):
    complains(corral, {"wrangler.toml": WRANGLER.format(name="x").replace("entry.py", name), "src/" + name: ""}, ERROR + r"(.|\n)*" + said)


@pytest.mark.parametrize("name", ["", "UPPER", "with space", "-dash", "x" * 300])
def test_a_bad_name_is_an_error_that_says_the_rule(corral, name):
    complains(corral, {"wrangler.toml": WRANGLER.format(name=name), "src/entry.py": HELLO}, r"(err|wrn|error|warning)(.|\n)*\bname\b")


# ---- while loading ----


def test_no_handler(corral):
    one = complains(corral, "from js import Response\n\ndef fetch(request):\n    pass\n", ERROR + r"(.|\n)*on_fetch")
    one.wait_log(r"src/entry\.py")


def test_no_handler_with_a_near_name(corral):
    complains(corral, "def on_fecth(request):\n    pass\n", r"on_fecth(.|\n)*on_fetch|on_fetch(.|\n)*on_fecth")


def test_syntax_error_names_file_line_and_shows_the_caret(corral):
    one = complains(corral, "from js import Response\n\ndef on_fetch(request):\n    return Response.new('x'))\n",
                    r"SyntaxError", r"src/entry\.py", r"return Response\.new\('x'\)\)\n.*\^")
    one.wait_log(r"entry\.py(:|\", line )4")
    text = page(corral, one)
    assert text is None or "SyntaxError" in text


def test_syntax_error_in_a_helper(corral):
    one = complains(corral, {"src/entry.py": "import helper\n" + HELLO, "src/helper.py": "x = 1\nif x\n    pass\n"},
                    r"SyntaxError", r"helper\.py")
    one.wait_log(r"helper\.py(:|\", line )2")


def test_indentation_error(corral):
    complains(corral, "def on_fetch(request):\nreturn 1\n", r"IndentationError", r"entry\.py(:|\", line )2")


def test_source_that_is_not_utf8(corral):
    complains(corral, {"src/entry.py": b"x = '\xff\xfe'\n"}, ERROR + r"(.|\n)*(utf-?8|UTF-?8|Unicode)")


def test_source_with_a_nul(corral):
    complains(corral, {"src/entry.py": b"x = 1\n\x00y = 2\n"}, ERROR + r"(.|\n)*null byte")


def test_import_of_a_module_that_does_not_exist(corral):
    one = complains(corral, "import surely_not_there\n" + HELLO, r"surely_not_there")
    one.wait_log(r"entry\.py(:|\", line )1")
    text = page(corral, one)
    assert text is None or "surely_not_there" in text


@pytest.mark.parametrize("module, package, is_built_in", [("redis", "redis", False), ("requests", "requests", True), ("bs4", "beautifulsoup4", True),
                                                          ("cv2", "opencv-python-headless", False), ("yaml", "pyyaml", True)])
def test_import_of_a_package_that_is_not_listed_names_the_line_to_add(corral, module, package, is_built_in):
    # Some sixty of Debian's packages are installed here; a worker sees those that it lists, and what they need.
    one = complains(corral, {"src/entry.py": "import json\nimport %s\n%s" % (module, HELLO), "requirements.txt": "# nothing yet\n"}, module)
    one.wait_log(r"'%s' is the package %s%s: add the line `%s` to requirements\.txt \(or to the dependencies of pyproject\.toml\)"
                 % (module, package, ", which is built in" if is_built_in else "", package))
    one.wait_log(r"entry\.py(:|\", line )2")
    if is_built_in:
        one.wait_ready()
        (one.project / "requirements.txt").write_text(package)
        until("it is there when it is listed", lambda: one.get().status == 200)


def test_import_from_js_of_something_that_is_not_there(corral):
    complains(corral, "from js import NoSuchThing\n" + HELLO, r"ImportError(.|\n)*NoSuchThing(.|\n)*'js'")


def test_import_from_js_with_a_near_name(corral):
    complains(corral, "from js import Respones\n" + HELLO, r"did you mean `Response`\?")


def test_import_from_js_of_something_that_is_not_there_yet(corral):
    complains(corral, "from js import process\n" + HELLO, r"`process` is not in Corral yet")


def test_attribute_of_js_with_a_near_name(corral):
    one = corral("import js\n\ndef on_fetch(request):\n    return js.Respones.new('x')\n")
    text = one.get().text
    assert "JavaScript has no global 'Respones'" in text and "did you mean `Response`?" in text, text


@pytest.mark.parametrize("source", [
    "type Point = tuple[int, int]\n",
    "def first[T](x: list[T]) -> T:\n    return x[0]\n",
    "def gen[T = int](x: T): pass\n",
    "name = 'x'\nt = t'{name}'\n",
    "words = ['a']\nx = f'{', '.join(words) + \"\\n\"}'\n",
    "try:\n    pass\nexcept ValueError, TypeError:\n    pass\n",
], ids=["type alias", "generics", "generic default", "t-string", "nested f-string", "except without parentheses"])
def test_source_for_a_newer_python_says_so(corral, source):
    one = complains(corral, source + HELLO, r"SyntaxError", r"Python 3\.1[2-9]")
    one.wait_log(r"3\.11")
    one.wait_log("PYTHON_EMBED")


def test_exception_at_top_level(corral):
    one = complains(corral, "\n\nraise RuntimeError('at the top')\n", r"RuntimeError: at the top")
    one.wait_log(r"entry\.py(:|\", line )3")


def test_system_exit_at_top_level(corral):
    one = complains(corral, "import sys\nsys.exit(0)\n", ERROR + r"(.|\n)*SystemExit")
    assert one.is_running()


# ---- while serving ----


@pytest.mark.parametrize("value, says", [("'a string'", "str"), ("None", "None"), ("{'a': 1}", "dict"), ("42", "int"),
                                         ("b'x'", "bytes"), ("[1]", "list")])
def test_handler_returned_no_response(corral, value, says):
    one = corral("async def on_fetch(request):\n    return %s\n" % value)
    answer = one.get()
    assert answer.status == 500
    assert says in answer.text and "Response" in answer.text and "on_fetch" in answer.text, answer.text
    one.wait_log(ERROR + r"(.|\n)*Response")


def test_handler_with_too_many_parameters(corral):
    one = corral("async def on_fetch(request, env, ctx, more):\n    pass\n")
    answer = one.get()
    assert answer.status == 500
    assert "on_fetch() missing 1 required positional argument: 'more'" in answer.text
    one.wait_log("missing 1 required positional argument: 'more'")


PAGE = """\
from js import Response
import helper

# <before> & "after"

async def on_fetch(request):
    if request.url.endswith("/js"):
        import js
        js.eval("(() => { throw new TypeError('from js') })()")
    if request.url.endswith("/liar"):
        exec(compile("\\n\\n1/0", "../../../../../../etc/passwd", "exec"))
    helper.fail(request.url)
"""


def test_the_page_for_a_browser_shows_the_source_lines(corral):
    one = corral({"src/entry.py": PAGE, "src/helper.py": "def fail(url):\n    name = '<b>'\n    raise KeyError(url)\n"})
    page = one.get("/<x>", {"Accept": "text/html"})
    assert page.status == 500 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h2>src/helper.py:3</h2>" in page.text and "<mark><i>    3  </i>    raise KeyError(url)</mark>" in page.text
    assert "<i>    2  </i>    name = '&lt;b&gt;'" in page.text and "PythonError: Traceback" in page.text and "<b>'" not in page.text
    # A JavaScript error is shown where it came out of it.
    page = one.get("/js", {"Accept": "text/html"}).text
    assert "<h2>src/entry.py:9</h2>" in page and "TypeError: from js" in page
    assert '<i>    4  </i># &lt;before&gt; &amp; &quot;after&quot;' in page
    # Nothing but files of the bundle is read.
    page = one.get("/liar", {"Accept": "text/html"}).text
    assert "ZeroDivisionError" in page and "root:" not in page and "<h2>" not in page
    plain = one.get("/", {"Accept": "*/*"})
    assert plain.headers["content-type"] == "text/plain; charset=utf-8" and plain.text.startswith("PythonError: Traceback")
    assert "name =" not in plain.text
    # So does the page of a version that does not load.
    one.write("src/helper.py", "def fail(url):\n    return [\n\nx = 1\n")
    page = until("the page", lambda: next((a.text for a in [one.get("/", {"Accept": "text/html"})] if "does not load" in a.text), None))
    assert "<h2>src/helper.py:2</h2>" in page and "<mark><i>    2  </i>    return [</mark>" in page and "SyntaxError" in page


def test_an_exception_is_logged_once_with_its_request(corral):
    one = corral("""\
        import asyncio
        from js import Response

        async def on_fetch(request):
            if request.url.endswith("/late"):
                gone = asyncio.Event()
                request.signal.addEventListener("abort", lambda event: gone.set())
                print("begun")
                await gone.wait()
            if request.url.endswith("/none"):
                return None
            raise ValueError("from the handler")
        """)
    assert one.get("/boom?x=1").status == one.get("/none").status == 500
    with one.connect() as client:       # it leaves before the handler fails
        client.sendall(b"GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n")
        one.wait_log("begun")
    for path in (r"/boom\?x=1", "/late"):
        one.wait_log(r"^\[hello:err\] GET http://[\w.]+(:\d+)?%s: Traceback(.|\n)*ValueError: from the handler" % path)
    one.wait_log(r"^\[hello:err\] GET http://[\w.]+(:\d+)?/none: on_fetch returned None")
    assert one.log_text().count("Traceback") == 2 and one.log_text().count("returned None") == 1, one.log_text()


def test_the_lab_itself_has_no_mistake(corral):
    assert corral(LAB).get().text == "ready"


# ---- the command line ----


def test_help(corral):
    from harness import BIN
    one = corral(None, command=[str(BIN / "corral"), "dev", "--help"], ready=False)
    assert one.wait_exit() == 0
    for flag in ("--port", "--ip", "--var", "--env", "--persist-to", "--log-level", "--config"):
        assert flag in one.log_text()


def test_unknown_command(corral):
    from harness import BIN
    one = corral(None, command=[str(BIN / "corral"), "dve"], ready=False)
    assert one.wait_exit() != 0
    assert "dve" in one.log_text() and "dev" in one.log_text()
