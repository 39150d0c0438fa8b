"""Modules, packages and data files of the project: docs/compatibility.md names these tests."""
import re

import pytest

pytestmark = pytest.mark.asan

PROJECT = {
    "src/entry.py": """\
        import importlib.resources, json, pkgutil
        from pathlib import Path
        import helper
        import pack
        import space.inner
        from js import Response
        from pack.deep.leaf import climb
        from vendored import WHO

        AT_TOP = (Path(__file__).parent / "data.txt").read_text()

        def on_fetch(request):
            import late
            from pack import later
            return Response.new(json.dumps({
                "beside": helper.WORD, "package": pack.WORD, "relative": climb(), "namespace": space.inner.WORD, "vendored": WHO,
                "late": late.WORD + later.WORD, "at top level": AT_TOP, "in a handler": (Path(__file__).parent / "data.txt").read_text(),
                "of a package": Path(pack.__file__).with_name("more.json").read_text(),
                "resources": importlib.resources.files("pack").joinpath("more.json").read_text(),
                "resources of a namespace": importlib.resources.files("space").joinpath("bytes.bin").read_bytes().hex(),
                "pkgutil": pkgutil.get_data("pack", "more.json").decode(),
                "names": [__name__, helper.__name__, pack.later.__package__],
                "local first": helper.shadowed,
            }))
        """,
    "src/data.txt": "data\n",
    "src/helper.py": "import twice\nWORD = 'helper'\nshadowed = twice.WHERE\n",
    "src/twice.py": "WHERE = 'here'\n",
    "src/late.py": "WORD = 'late'\n",
    "src/pack/__init__.py": "from .inner import WORD\n",
    "src/pack/inner.py": "WORD = 'pack'\n",
    "src/pack/later.py": "from . import inner\nWORD = inner.WORD + ' later'\n",
    "src/pack/more.json": '{"more": 1}',
    "src/pack/deep/__init__.py": "",
    "src/pack/deep/leaf.py": "from ..inner import WORD\n\ndef climb():\n    return 'up to ' + WORD\n",
    "src/space/inner.py": "WORD = 'namespace'\n",
    "src/space/bytes.bin": b"\x00\xff",
    "python_modules/vendored/__init__.py": "WHO = 'vendored'\n",
    "python_modules/twice.py": "WHERE = 'vendored'\n",
}


def test_modules_packages_and_files_of_the_project(corral):
    assert corral(PROJECT).get().json() == {
        "beside": "helper", "package": "pack", "relative": "up to pack", "namespace": "namespace", "vendored": "vendored",
        "late": "latepack later", "at top level": "data\n", "in a handler": "data\n", "of a package": '{"more": 1}', "resources": '{"more": 1}',
        "resources of a namespace": "00ff", "pkgutil": '{"more": 1}', "names": ["entry", "helper", "pack"], "local first": "here"}


def test_main_at_the_projects_root(corral):
    one = corral({"entry.py": "from pathlib import Path\nimport helper, pack.inner\nfrom js import Response\n\ndef on_fetch(request):\n"
                              "    return Response.new(helper.WORD + pack.inner.WORD + Path(__file__).with_name('data.txt').read_text())\n",
                  "helper.py": "WORD = 'a'\n", "pack/inner.py": "WORD = 'b'\n", "data.txt": "c",
                  "wrangler.toml": 'name = "hello"\nmain = "entry.py"\ncompatibility_date = "2024-03-29"\n'})
    assert one.get().text == "abc"


def test_modules_named_with_the_folder_of_main(corral):
    one = corral({"src/entry.py": "import src.helper\nfrom js import Response\n\ndef on_fetch(request):\n    return Response.new(src.helper.WORD)\n",
                  "src/helper.py": "WORD = 'found'\n"})
    assert one.get().text == "found"
    one.wait_log(r"\[hello:wrn\] src/entry.py .*imports 'src.helper': write `import helper`")


def test_relative_import_in_main_says_what_to_write(corral):
    one = corral({"src/entry.py": "from . import helper\n\ndef on_fetch(request):\n    pass\n", "src/helper.py": ""}, ready=False)
    one.wait_log("import the modules beside it by their names alone")


def test_one_module_is_loaded_once(corral):
    one = corral({"src/entry.py": "import first, second\nfrom js import Response\n\ndef on_fetch(request):\n"
                                  "    return Response.new(f'{first.state is second.state} {len(first.state)}')\n",
                  "src/first.py": "import second\nstate = second.state\n", "src/second.py": "state = []\nstate.append(1)\n"})
    assert one.get().text == "True 1"


def test_modules_named_as_one_of_pythons_own(corral):
    """Those that Pyodide has not loaded before a worker are the project's own, as there: queue.py of who has queues."""
    early = ["queue", "calendar", "locale", "html", "statistics", "tarfile"]
    names = ", ".join(early)
    files = {"src/lzma/no_module.txt": "", **{"src/%s.py" % name: "OWN = %r\n" % name for name in early[1:]}}
    one = corral({"src/entry.py": "import %s, email, json, lzma\nlzma.compress(b'')\nfrom concurrent.futures import ThreadPoolExecutor\nfrom js import Response\n"
                                  "from queue.jobs import JOB\n\ndef on_fetch(request):\n    pool = ThreadPoolExecutor(1)\n"
                                  "    return Response.new(json.dumps([m.OWN for m in (%s)] + [JOB, pool.submit(int, '5').result()]))\n" % (names, names),
                  "src/queue/__init__.py": "OWN = 'queue'\n", "src/queue/jobs.py": "JOB = 'job'\n", "src/email.py": "", **files})
    assert one.get().json() == [*early, "job", 5]


@pytest.mark.parametrize("file, source, hint", [
    ("types.py", "from types import Item", "src/types.py is not seen: Python's own module `types` has the name and is loaded before, on Cloudflare too"),
    ("json/__init__.py", "import json\njson.my_dumps({})", "src/json/__init__.py is not seen: Python's own module `json` has the name"),
    ("workers.py", "from workers import Response", "src/workers.py hides the `workers` of Cloudflare: give it another name"),
], ids=["from types", "json", "workers"])
def test_a_module_that_hides_another_or_is_hidden_is_named(corral, file, source, hint):
    one = corral({"src/entry.py": source + "\n\ndef on_fetch(request):\n    pass\n", "src/" + file: ""}, ready=False)
    one.wait_log(re.escape(hint))
