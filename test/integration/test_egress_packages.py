"""Whom a node asks for the packages of a stranger's upload: the indexes that its owner has named, and nobody that those lead to elsewhere.

docs/security.md, docs/compatibility.md and docs/packages.md name these tests.
"""
import importlib.util
import ipaddress
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import ROOT
from origin import Raw
from package_index import PackageIndex, wheel

WORKER = """
from workers import Response, WorkerEntrypoint
import importlib
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(" ".join(importlib.import_module(name).SAYS for name in %r))
"""


def page(*links):
    body = "".join('<a href="%s">%s</a>\n' % (url, url.rsplit("/", 1)[-1]) for url in links).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def file(content):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(content) + content


def module(name, **more):
    return wheel(name, "1.0", {"%s.py" % name: "SAYS = %r\n" % name}, **more)


@pytest.fixture
def other():
    """An index of somebody else's, with everything."""
    with PackageIndex() as one:
        one.add(module("far"), module("near"))
        yield one


@pytest.fixture
def own():
    with PackageIndex() as one:
        one.add(module("near"))
        yield one


def start(serve, index_url, *flags, **more):
    """A node whose default index this is: its owner's word, so it may be on this machine, where nothing else is open."""
    return serve(*flags, reaches=(), env={"PIP_INDEX_URL": index_url, "PIP_RETRIES": "0"}, **more)


def upload(node, files, *names):
    return node.upload("w", {"entry.py": WORKER % (names,), **files}, {"compatibility_flags": ["python_workers"]})


def at_once(ask, each):
    """What ask says of each: mostly it waits for processes to start."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, each))


def test_requirements_name_no_place_that_the_owner_has_not_named(serve, own, other):
    node = start(serve, own.url)
    wheel_url = other.file_url(module("far"))
    wheel_url = wheel_url if "://" in wheel_url else other.origin + wheel_url
    mistakes = (
            ("requirements.txt", "near\n--index-url %s\n" % other.url, 2), ("requirements.txt", "\n--extra-index-url=%s\nnear" % other.url, 2),
            ("requirements.txt", "-i %s\nnear\n" % other.url, 1), ("requirements.txt", "near\n--find-links %s\n" % other.url, 2),
            ("requirements.txt", "# far\nfar @ %s\n" % wheel_url, 2), ("requirements.txt", wheel_url + "\n", 1),
            ("requirements.txt", "--extra-index-url http://169.254.169.254/latest\nnear", 1), ("requirements.txt", "--index-url https://u:p@%s/\nnear" % own.url[7:], 1),
            ("requirements.txt", "--index-url %s/../other\nnear" % own.url.rstrip("/"), 1), ("requirements.txt", "--index-url %s/x/%%2e%%2e/%%2e%%2e/\nnear" % own.url.rstrip("/"), 1),
            ("requirements.txt", "far @ git+https://example.com/far\n", 1), ("requirements.txt", "near\n--trusted-host 127.0.0.1\n", 2),
            ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["near"]\n[[tool.uv.index]]\nurl = "%s"\n' % other.url, 6),
            ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["far"]\n[tool.uv.sources]\nfar = { url = "%s" }\n' % wheel_url, 6))
    for (name, text, line), said in zip(mistakes, at_once(lambda mistake: upload(node, {mistake[0]: mistake[1]}, "near"), mistakes)):
        assert said.status == 400 and said.codes == [10021], (text, said)
        assert any(words in said.text for words in ("is no place where packages may come from on this node", "would have to be built",
                                                    "would take packages of whoever answers")), (text, said.text)
        assert "%s:%d" % (name, line) in said.text, (text, said.text)
    assert not other.requests and not own.requests
    said = upload(node, {"requirements.txt": "near\n--index-url %s\n" % own.url}, "near")
    assert said.success, said.errors
    assert node.get("w").text == "near"


def test_what_an_index_leads_to_is_asked_about(serve, other):
    """Links on its pages, redirects, addresses in a wheel's metadata: to this machine's other doors they lead nowhere."""
    far_url = other.file_url(module("far"))
    far_url = far_url if "://" in far_url else other.origin + far_url
    needs = module("needs", requires=["far @ " + far_url])
    answers = {"simple/far": page(far_url), "simple/gone": b"HTTP/1.1 302 Found\r\nLocation: %ssimple/near/\r\nContent-Length: 0\r\n\r\n" % other.url.split("simple")[0].encode(),
               "simple/meta": page("http://169.254.169.254/meta-1.0-py3-none-any.whl"), "simple/needs": page("/" + needs.filename),
               needs.filename: file(needs.data), "simple/near": page("/" + module("near").filename), module("near").filename: file(module("near").data)}
    index = Raw(answers)
    try:
        node = start(serve, index.url + "/simple/")
        names = ("far", "gone", "meta", "needs")
        for name, said in zip(names, at_once(lambda name: upload(node, {"requirements.txt": name + "\n"}, name), names)):
            assert said.status == 400 and said.codes == [10021], (name, said)
            assert "this node lets no package come from there" in said.text, (name, said.text)
        assert not other.requests, other.requests
        assert upload(node, {"requirements.txt": "near\n"}, "near").success
        assert node.get("w").text == "near"
    finally:
        index.close()


def test_the_owner_names_indexes(serve, tmp_path, own, other):
    config = tmp_path / "corral.toml"
    config.write_text('[packages]\nindexes = ["%s"]\n' % other.url)
    node = start(serve, own.url, "--config", str(config))
    assert upload(node, {"requirements.txt": "far\n--extra-index-url %s\n" % other.url}, "far").success
    assert node.get("w").text == "far"
    assert not upload(node, {"requirements.txt": "far\n--extra-index-url %s\n" % other.url.replace("127.0.0.1", "localhost")}, "far").success
    # Every one: then the addresses are as open as to workers.
    node = start(serve, own.url, "--any-package-index")
    said = upload(node, {"requirements.txt": "far\n--extra-index-url %s\n" % other.url}, "far")
    assert not said.success and "this node lets no package come from there" in said.text, said.text
    node = start(serve, own.url, "--any-package-index", "--allow-fetch", other.url.split("/")[2])
    assert upload(node, {"requirements.txt": "far\n--extra-index-url %s\n" % other.url}, "far").success
    config.write_text('[packages]\nindexes = ["ftp://x", 1]\nindex = "x"\n')
    node = start(serve, own.url, "--config", str(config), ready=False)
    assert node.wait_exit() != 0
    for words in ("corral.toml:2:", "must be an address such as", "did you mean 'indexes'?"):
        assert words in node.log_text(), node.log_text()


def test_pip_is_told_what_workers_are_told():
    """sdk/python/packager/network.py says of each address of test/unit/text_ip.c what src/text/ip.c says."""
    spec = importlib.util.spec_from_file_location("network", ROOT / "sdk/python/packager/network.py")
    network = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(network)
    kinds = {"IP_METADATA": "metadata", "IP_PRIVATE": "private", "IP_SHARED": "private", "IP_TUNNEL": "tunnel"}
    special = [[text, kinds.get(kind, "")] for text, kind in re.findall(r'\{"([0-9a-f.:/]+)", (IP_\w+)\}', (ROOT / "src/text/ip.c").read_text())]
    assert len(special) > 40

    def rules(**more):
        return network.Rules({"allow": [], "deny": [], "private": False, "public": True, "own": [], "special": special, **more})
    closed, count = rules(), 0
    for kind, texts in re.findall(r"ALL\((IP_\w+), ([^;]*)\);", (ROOT / "test/unit/text_ip.c").read_text()):
        for text in re.findall('"([^"]+)"', texts):
            assert closed.is_open("", ipaddress.ip_address(text), 80) == (kind == "IP_PUBLIC"), (kind, text)
            assert rules(private=True).is_open("", ipaddress.ip_address(text), 80) == (kind in ("IP_PUBLIC", "IP_PRIVATE", "IP_SHARED")), (kind, text)
            count += 1
    assert count > 100

    def is_open(allow, deny, host, text, port, **more):
        return rules(allow=allow, deny=deny, **more).is_open(host, ipaddress.ip_address(text), port)
    assert is_open(["10.1.0.0/16"], [], "", "10.1.2.3", 1) and not is_open(["10.1.0.0/16"], [], "", "10.2.2.3", 1)
    assert is_open(["[::1]:80"], [], "", "::1", 80) and not is_open(["[::1]:80"], [], "", "::1", 81)
    assert is_open(["*.corp"], [], "a.corp", "10.0.0.1", 80) and not is_open(["*.corp"], [], "corp", "10.0.0.1", 80)
    assert is_open(["db.x:5"], [], "DB.x.", "10.0.0.1", 5) and not is_open(["db.x:5"], [], "db.x", "10.0.0.1", 6)
    assert not is_open(["*"], ["1.2.0.0/16"], "", "64:ff9b::1.2.3.4", 80) and not is_open(["*"], ["*:25"], "", "8.8.8.8", 25)
    assert not is_open(["*"], [], "", "169.254.169.254", 80) and is_open(["169.254.169.254"], [], "", "169.254.169.254", 80)
    own = {"own": [["127.0.0.1", 8788]]}
    assert not is_open(["*", "127.0.0.1"], [], "", "127.0.0.1", 8788, **own) and is_open(["127.0.0.1:8788"], [], "", "127.0.0.1", 8788, **own)
    assert not is_open([], [], "", "64:ff9b::9.9.9.9", 80, own=[["9.9.9.9", 80]]) and is_open([], [], "", "64:ff9b::9.9.9.9", 81, own=[["9.9.9.9", 80]])
    assert not is_open(["*"], [], "", "::ffff:127.0.0.1", 8788, **own) and not is_open(["*"], [], "", "0.0.0.0", 8788, **own)
