"""corral dev: configuration, flags, the loop of edit and save."""
import contextlib
import os
import re
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from harness import BIN, ERROR, HELLO, WARNING, WRANGLER, Load, free_port, holds, listening, until

VARS = """\
from js import Response

async def on_fetch(request, env):
    name = request.url.rsplit("/", 1)[1]
    return Response.new("%s=%s" % (name, getattr(env, name, "MISSING")))
"""

TOML = WRANGLER.format(name="vars")
JSON_BODY = '"name": "vars", "main": "src/entry.py", "compatibility_date": "2024-03-29", ' \
            '"compatibility_flags": ["python_workers"]'


# ---- the three formats ----

FORMATS = {
    "wrangler.toml": TOML + '\n[vars]\nWORD = "toml"\n',
    "wrangler.json": "{%s, \"vars\": {\"WORD\": \"json\"}}" % JSON_BODY,
    "wrangler.jsonc": """{
  // a comment, with "quotes" and a /* in it
  %s, /* another
  one */
  "vars": {"WORD": "jsonc", "URL": "http://not/*a*/comment//here",},
}""" % JSON_BODY,
}


@pytest.mark.parametrize("name", FORMATS)
def test_config_is_found_without_a_flag(corral, name):
    one = corral({name: FORMATS[name], "src/entry.py": VARS})
    assert one.get("/WORD").text == "WORD=" + name.split(".")[1]


def test_json_accepts_comments_and_trailing_commas_too(corral):
    one = corral({"wrangler.json": FORMATS["wrangler.jsonc"], "src/entry.py": VARS})
    assert one.get("/WORD").text == "WORD=jsonc"
    assert one.get("/URL").text == "URL=http://not/*a*/comment//here"


def test_config_flag(corral, tmp_path):
    files = {"wrangler.toml": FORMATS["wrangler.toml"], "src/entry.py": VARS,
             "other.jsonc": FORMATS["wrangler.jsonc"]}
    one = corral(files, "--config", str(tmp_path / "project/other.jsonc"))
    assert one.get("/WORD").text == "WORD=jsonc"


def test_config_in_crlf_with_a_byte_order_mark(corral):
    text = b"\xef\xbb\xbf" + FORMATS["wrangler.json"].replace(", ", ",\r\n").encode()
    one = corral({"wrangler.json": text, "src/entry.py": VARS})
    assert one.get("/WORD").text == "WORD=json"


# ---- vars, flags, environments ----


def test_vars_of_every_kind(corral):
    one = corral({"wrangler.toml": TOML + '[vars]\nTEXT = "a \\"b\\" ü"\nNUMBER = 42\nREAL = 1.5\nYES = true\n',
                  "src/entry.py": VARS})
    assert one.get("/TEXT").text == 'TEXT=a "b" ü'
    assert one.get("/NUMBER").text == "NUMBER=42"
    assert one.get("/REAL").text == "REAL=1.5"
    assert one.get("/YES").text == "YES=True"
    assert one.get("/NONE").text == "NONE=MISSING"


def test_var_flag_adds_and_overrides(corral):
    one = corral({"wrangler.toml": TOML + '[vars]\nA = "config"\nB = "config"\n', "src/entry.py": VARS},
                 "--var", "A:flag", "--var", "C:with:colons and spaces")
    assert [one.get("/" + n).text for n in "ABC"] == ["A=flag", "B=config", "C=with:colons and spaces"]


def test_env_flag_selects_an_environment(corral):
    config = TOML + '[vars]\nA = "top"\nB = "top"\n[env.staging.vars]\nA = "staging"\n[env.other.vars]\nA = "other"\n'
    one = corral({"wrangler.toml": config, "src/entry.py": VARS}, "--env", "staging")
    # vars are not inherited: B is not there.
    assert [one.get("/A").text, one.get("/B").text] == ["A=staging", "B=MISSING"]


def test_env_flag_with_an_unknown_name_names_the_known_ones(corral):
    one = corral({"wrangler.toml": TOML + '[env.staging.vars]\nA = "x"\n', "src/entry.py": VARS},
                 "--env", "stagign", ready=False)
    one.wait_log("stagign(.|\n)*staging")


def test_without_env_flag_the_top_is_used(corral):
    one = corral({"wrangler.toml": TOML + '[vars]\nA = "top"\n[env.staging.vars]\nA = "staging"\n', "src/entry.py": VARS})
    assert one.get("/A").text == "A=top"


def test_ip_flag(corral):
    one = corral(HELLO, "--ip", "127.0.0.2")
    one.host = "127.0.0.2"
    assert one.get().text == "Hello world!"
    assert listening(one.pid) == [("127.0.0.2", one.port)]


@pytest.mark.parametrize("ip", ["0.0.0.0", "*"])
def test_every_address_is_announced_as_one_that_can_be_opened(corral, ip):
    one = corral(HELLO, "--ip", ip)
    assert one.url == "http://localhost:%d" % one.port and one.get().text == "Hello world!"


def test_only_this_machine_is_served_by_default(hello):
    assert listening(hello.pid) == [("127.0.0.1", hello.port)]


def test_port_flag(corral):
    port = free_port()
    one = corral(HELLO, port=port)
    assert one.port == port and one.get().text == "Hello world!"


def test_two_on_any_port(corral):
    one, two = corral(HELLO), corral(HELLO.replace("world", "moon"))
    assert one.port != two.port
    assert (one.get().text, two.get().text) == ("Hello world!", "Hello moon!")


def test_port_is_free_again_right_after_the_end(corral):
    port = free_port()
    one = corral(HELLO, port=port)
    connection = one.connection()
    one.request("GET", "/", connection=connection)
    one.stop()
    two = corral(HELLO, port=port)
    assert two.get().status == 200
    connection.close()


def test_log_level_error_hides_requests(corral):
    one = corral(VARS, "--log-level", "error", ready=False, port=(port := free_port()))
    one.port = port

    def answers():
        try:
            return one.get("/x").status == 200
        except OSError:
            return False
    until("it answers", answers)
    holds("nothing is logged", lambda: not any("GET /x" in line for line in one.log_lines()), 0.3)


def test_persist_to_is_accepted(corral, tmp_path):
    one = corral(HELLO, "--persist-to", str(tmp_path / "state"))
    assert one.get().status == 200


def test_unknown_flag_is_an_error_with_the_nearest(corral):
    one = corral(HELLO, "--prot", "1", ready=False)
    assert one.wait_exit() != 0
    assert "--prot" in one.log_text() and "--port" in one.log_text()


@pytest.mark.parametrize("port", ["x", "-1", "65536", ""])
def test_bad_port_is_an_error(corral, port):
    one = corral(HELLO, port=port, ready=False)
    assert one.wait_exit() != 0
    assert "port" in one.log_text()


# ---- what the config says that is not known ----


def test_known_keys_that_do_nothing_yet_warn_once(corral):
    config = 'kv_namespaces = [{binding = "KV", id = "1"}]\nlogpush = true\n' + TOML
    one = corral({"wrangler.toml": config, "src/entry.py": VARS})
    for key in ("kv_namespaces", "logpush"):
        one.wait_log(WARNING + r".*%s.*not supported yet" % key)
    assert one.get("/x").status == 200
    for key in ("kv_namespaces", "logpush"):
        lines = [l for l in one.log_lines() if key in l and "not supported yet" in l]
        assert len(lines) == 1, lines


def test_unknown_key_warns_with_file_line_and_nearest(corral):
    config = 'name = "x"\nmain = "src/entry.py"\ncompatability_date = "2024-03-29"\n'
    one = corral({"wrangler.toml": config, "src/entry.py": VARS})
    one.wait_log(r"wrangler\.toml:3.*compatability_date(.|\n)*compatibility_date")
    one.wait_log(WARNING)
    assert one.get("/x").status == 200


def test_unknown_key_in_json_warns_with_its_line(corral):
    config = '{\n  // one\n  "name": "x",\n  "main": "src/entry.py",\n  "mian": 1\n}\n'
    one = corral({"wrangler.jsonc": config, "src/entry.py": VARS})
    one.wait_log(r"wrangler\.jsonc:5.*mian(.|\n)*main")
    one.wait_log(WARNING)


@pytest.mark.parametrize("line, key", [("name = 3", "name"), ('vars = "x"', "vars"), ("main = true", "main"),
                                       ('compatibility_flags = "python_workers"', "compatibility_flags"),
                                       ("compatibility_date = 20240329", "compatibility_date")])
def test_wrong_type_is_an_error(corral, line, key):
    config = "\n".join([l for l in TOML.splitlines() if not l.startswith(key + " ")])
    one = corral({"wrangler.toml": line + "\n" + config + "\n", "src/entry.py": VARS}, ready=False)
    one.wait_log(ERROR + r"(.|\n)*\b%s\b" % key)
    assert re.search(r"wrangler\.toml:1\b", one.log_text()), one.log_text()


# ---- hot reload ----


def says(corral, text, path="/"):
    def once():
        answer = corral.get(path)
        return answer.status == 200 and answer.text == text
    until("it says %r" % text, once)


def version(n):
    return 'from js import Response\n\ndef on_fetch(request):\n    return Response.new("version %s")\n' % n


def test_reload_when_the_file_is_written(corral):
    one = corral(version(1))
    says(one, "version 1")
    one.write("src/entry.py", version(2))
    says(one, "version 2")


def test_reload_when_an_editor_renames_over_the_file(corral):
    one = corral(version(1))
    for n in range(2, 6):
        one.write("src/.entry.py.swp", version(n))
        os.rename(one.project / "src/.entry.py.swp", one.project / "src/entry.py")
        says(one, "version %d" % n)


def test_reload_when_an_editor_moves_the_old_one_away(corral):
    # vim with backupcopy=no
    one = corral(version(1))
    for n in range(2, 5):
        os.rename(one.project / "src/entry.py", one.project / "src/entry.py~")
        one.write("src/entry.py", version(n))
        os.unlink(one.project / "src/entry.py~")
        says(one, "version %d" % n)


def test_reload_when_another_module_changes(corral):
    one = corral({"src/entry.py": "from js import Response\nimport other\n\ndef on_fetch(r):\n    return Response.new(other.WORD)\n",
                  "src/other.py": "WORD = 'before'\n"})
    says(one, "before")
    one.write("src/other.py", "WORD = 'after'\n")
    says(one, "after")


def test_reload_when_a_new_file_comes(corral):
    one = corral("from js import Response\ntry:\n    import extra\n    word = extra.WORD\nexcept ImportError:\n    word = 'none'\n\n"
                 "def on_fetch(r):\n    return Response.new(word)\n")
    says(one, "none")
    one.write("src/extra.py", "WORD = 'extra'\n")
    says(one, "extra")


def test_reload_when_a_file_in_a_new_folder_changes(corral):
    one = corral(version(1))
    one.write("src/pack/__init__.py", "")
    one.write("src/pack/words.py", "WORD = 'one'\n")
    one.write("src/entry.py", "from js import Response\nfrom pack.words import WORD\n\ndef on_fetch(r):\n    return Response.new(WORD)\n")
    says(one, "one")
    one.write("src/pack/words.py", "WORD = 'two'\n")
    says(one, "two")


def test_reload_when_a_file_is_deleted(corral):
    one = corral({"src/entry.py": "from js import Response\ntry:\n    import extra\n    word = 'there'\nexcept ImportError:\n    word = 'gone'\n\n"
                                  "def on_fetch(r):\n    return Response.new(word)\n", "src/extra.py": ""})
    says(one, "there")
    os.unlink(one.project / "src/extra.py")
    says(one, "gone")


def test_reload_when_the_config_changes(corral):
    one = corral({"wrangler.toml": TOML + '[vars]\nA = "one"\n', "src/entry.py": VARS})
    says(one, "A=one", "/A")
    one.write("wrangler.toml", TOML + '[vars]\nA = "two"\n')
    says(one, "A=two", "/A")


def test_a_bad_config_is_shown_and_the_next_save_recovers(corral):
    one = corral({"wrangler.toml": TOML + '[vars]\nA = "one"\n', "src/entry.py": VARS})
    says(one, "A=one", "/A")
    before = one.mark()
    one.write("wrangler.toml", TOML + "[vars\n")
    one.wait_log(r"wrangler\.toml:\d+", since=before)
    assert one.is_running()
    one.write("wrangler.toml", TOML + '[vars]\nA = "two"\n')
    says(one, "A=two", "/A")


LOADED = """\
import time
from pathlib import Path
from js import Response
loaded = str(time.time_ns())

def on_fetch(request):
    return Response.new(loaded)
"""


@pytest.mark.parametrize("folder", [".git", ".corral", ".wrangler", "node_modules", "__pycache__", "src/__pycache__"])
def test_no_reload_when_an_ignored_folder_changes(corral, folder):
    one = corral({"src/entry.py": LOADED, folder + "/there": "x"})
    first = one.get().text
    one.write(folder + "/there", "y")
    one.write(folder + "/new.py", "import nothing\n")
    one.write(folder + "/deep/deeper.py", "import nothing\n")
    holds("the same version answers", lambda: one.get().text == first)
    one.write("src/entry.py", LOADED + "# changed\n")
    until("a real change still reloads", lambda: one.get().text != first)


def test_no_reload_when_the_state_folder_changes(corral, tmp_path):
    state = tmp_path / "project/mystate"
    one = corral({"src/entry.py": LOADED, "mystate/there": "x"}, "--persist-to", str(state))
    first = one.get().text
    one.write("mystate/there", "y")
    holds("the same version answers", lambda: one.get().text == first)


def test_a_burst_of_writes_is_one_reload(corral):
    one = corral({"src/entry.py": LOADED, "src/other.py": "x = 0\n"})
    seen = [one.get().text]
    one.process.send_signal(signal.SIGSTOP)     # it sees them all at once, however long they take
    for n in range(100):
        one.write("src/other.py", "x = %d\n" % n)
    one.process.send_signal(signal.SIGCONT)

    def quiet():
        text = one.get().text
        if text != seen[-1]:
            seen.append(text)
        return len(seen) > 1
    until("a reload", quiet)
    holds("that one", lambda: quiet() and len(seen) == 2)


def test_a_save_that_changes_nothing_is_harmless(corral):
    one = corral(version(1))
    os.utime(one.project / "src/entry.py")
    holds("it answers", lambda: one.get().text == "version 1", 0.5)


def test_no_request_fails_during_twenty_reloads(corral):
    one = corral(version(0))
    says(one, "version 0")
    with Load(one, 4) as load:
        for n in range(1, 21):
            one.put("src/entry.py", version(n))
            says(one, "version %d" % n)
            load.wait(20)
    bad = [r for r in load.results if r[0] != 200]
    assert not bad, bad[:3]
    assert {t for _, t in load.results} <= {"version %d" % n for n in range(21)}
    until("the old templates are gone", lambda: len(one.templates()) == 1)


def test_requests_in_flight_finish_on_the_old_version(corral):
    slow = ("import asyncio\nfrom js import Response\n\nasync def on_fetch(request):\n    print('begun')\n"
            "    await asyncio.sleep(1)\n    return Response.new('old')\n")
    one = corral(slow)
    got = []
    asker = threading.Thread(target=lambda: got.append(one.get()))
    asker.start()
    one.wait_log("begun")
    one.write("src/entry.py", version("new"))
    until("the new one answers meanwhile", lambda: one.get().text == "version new")
    asker.join()
    assert (got[0].status, got[0].text) == (200, "old")
    until("the old template is gone", lambda: len(one.templates()) == 1)


def descriptors(pid):
    """What they are of, sorted."""
    found = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
    return sorted(found)


def test_reload_does_not_leak_descriptors_or_processes(corral):
    one = corral(version(0))
    says(one, "version 0")
    for n in range(1, 4):
        one.write("src/entry.py", version(n))
        says(one, "version %d" % n)
    until("one template", lambda: len(one.templates()) == 1)
    before = descriptors(one.pid)
    for n in range(4, 16):
        one.write("src/entry.py", version(n))
        says(one, "version %d" % n)
    until("one template", lambda: len(one.templates()) == 1)
    # Twelve reloads that leak would have left twelve; the pool may hold one instance or two by now, with four each.
    until(lambda: f"no more descriptors than before: {before}, now {descriptors(one.pid)}", lambda: len(descriptors(one.pid)) <= len(before) + 9)


# ---- broken in between ----


def test_a_syntax_error_shows_and_the_next_save_recovers(corral):
    one = corral(version(1))
    says(one, "version 1")
    before = one.mark()
    one.put("src/entry.py", "from js import Response\n\ndef on_fetch(request:\n    return 1\n")
    one.wait_log(r"SyntaxError", since=before)
    one.wait_log(r"entry\.py(:|\", line )3", since=before)
    page = until("the error is served", lambda: next((a for a in [one.get()] if a.status == 500), None))
    assert "SyntaxError" in page.text and re.search(r"entry\.py", page.text) and "def on_fetch(request:" in page.text
    one.write("src/entry.py", version(2))
    says(one, "version 2")


def test_the_error_page_is_html_for_a_browser(corral):
    one = corral(version(1))
    one.put("src/entry.py", "def broken(:\n")
    page = until("the error is served", lambda: next(
        (a for a in [one.get("/", {"Accept": "text/html,application/xhtml+xml"})] if a.status == 500), None))
    assert "SyntaxError" in page.text
    if page.headers["content-type"].startswith("text/html"):
        assert "<script" not in page.text.lower()


def test_the_error_page_escapes_the_source(corral):
    one = corral(version(1))
    one.put("src/entry.py", "x = '<script>alert(1)</script>' (:\n")
    page = until("the error is served", lambda: next(
        (a for a in [one.get("/", {"Accept": "text/html"})] if a.status == 500), None))
    if page.headers["content-type"].startswith("text/html"):
        assert "<script>alert" not in page.text


def test_an_error_at_the_start_recovers_at_the_next_save(corral):
    one = corral("def broken(:\n", ready=False)
    one.wait_log("SyntaxError")
    assert one.is_running()
    one.write("src/entry.py", version(1))
    one.wait_ready()
    says(one, "version 1")


def test_an_exception_at_top_level_shows_and_recovers(corral):
    one = corral(version(1))
    says(one, "version 1")
    before = one.mark()
    one.write("src/entry.py", "raise RuntimeError('while loading')\n")
    one.wait_log("RuntimeError: while loading", since=before)
    until("a 500", lambda: one.get().status == 500)
    one.write("src/entry.py", version(2))
    says(one, "version 2")


def test_top_level_code_that_never_ends_is_ended(corral):
    one = corral(version(1))
    says(one, "version 1")
    one.write("src/entry.py", "while True:\n    pass\n")
    before = one.mark()
    one.write("src/entry.py", version(2))
    says(one, "version 2")
    until("the one that spins is gone", lambda: len(one.templates()) == 1)
    assert before >= 0


def test_the_entry_deleted_and_back(corral):
    one = corral(version(1))
    says(one, "version 1")
    shutil.move(one.project / "src/entry.py", one.project / "src/away")
    holds("the node lives", one.is_running, 0.3)
    shutil.move(one.project / "src/away", one.project / "src/entry.py")
    says(one, "version 1")


def test_a_main_that_is_still_to_be_written_in_another_folder(corral):
    one = corral({"src/entry.py": version(1), "app/notes.txt": "x"})
    assert one.get().text == "version 1"
    since = one.mark()
    one.put("wrangler.toml", WRANGLER.format(name="hello").replace("src/entry.py", "app/main.py"))
    one.wait_log("there is no file 'app/main.py'", since=since)
    until("requests are told", lambda: one.get().status == 500)
    one.put("app/main.py", version(2))
    says(one, "version 2")
    assert len(re.findall("there is no file 'app/main.py'", "\n".join(one.log_lines()[since:]))) == 1


def bundles(one):
    return sorted(p.name for p in (one.project / ".corral" / "bundles").iterdir())


def test_two_on_one_project_do_not_disturb_each_other(corral):
    one = corral(version(1))
    two = corral(None, command=one.arguments)
    assert one.get().text == two.get().text == "version 1"
    two.stop()
    assert len(bundles(one)) == 1
    os.kill(one.templates()[0].pid, signal.SIGKILL)
    until("a new template answers", lambda: one.get().text == "version 1")


def test_what_a_killed_one_left_is_swept(corral):
    one = corral(version(1))
    one.process.kill()
    one.process.wait()
    assert len(bundles(one)) == 1
    one.write("src/entry.py", version(2))
    two = corral(None, command=one.arguments)
    says(two, "version 2")
    assert len(bundles(one)) == 1


# ---- the port ----


def test_port_in_use_names_the_process(corral):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = corral(HELLO, port=port, ready=False)
        assert one.wait_exit() != 0
    text = one.log_text()
    assert str(port) in text and "in use" in text
    assert str(os.getpid()) in text or "python" in text or "pytest" in text, text
    one.assert_nothing_left()


def test_port_in_use_only_on_ipv6(corral):
    # A browser that is told "localhost" would reach the other one.
    with socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            taken.bind(("::1", free_port()))    # by IPv4 it is nobody's either
        except OSError:
            pytest.skip("no IPv6 here")
        taken.listen()
        port = taken.getsockname()[1]
        one = corral(HELLO, port=port, ready=False)
        assert one.wait_exit() == 1
    assert re.search(r"port %d is in use by '.*' \(pid %d\)" % (port, os.getpid()), one.log_text())


def test_sighup_ends_it_too(hello):
    # The terminal was closed.
    family = hello.wait_settled()
    hello.process.send_signal(signal.SIGHUP)
    hello.wait_exit()
    hello.assert_nothing_left()
    assert family


def test_output_that_nobody_reads_does_not_stop_it(tmp_path):
    """A full pipe on stderr must not hang the server."""
    import subprocess
    import urllib.request
    from harness import write_project
    project = write_project(tmp_path, version(1))
    port = free_port()
    process = subprocess.Popen([str(BIN / "corral"), "dev", "--port", str(port), str(project)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               start_new_session=True)
    try:
        def answers():
            try:
                return urllib.request.urlopen("http://127.0.0.1:%d/%s" % (port, "x" * 200), timeout=10).status == 200
            except OSError:
                return False
        until("it answers", answers)
        for _ in range(1000):  # 64 KiB of pipe are full after some 250 lines
            assert answers()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_reload_when_the_target_of_a_link_changes(corral):
    entry = "from js import Response\nimport common\n\ndef on_fetch(request):\n    return Response.new(common.text)\n"
    one = corral({"src/entry.py": entry, "lib/common.py": 'text = "one"\n'})
    (Path(one.project) / "src/common.py").symlink_to("../lib/common.py")
    until("the link is followed", lambda: one.get().text == "one")
    one.write("lib/common.py", 'text = "two"\n')
    until("the new text answers", lambda: one.get().text == "two")
    one.write("lib/common.py", 'text = "three"\n')
    until("the newest text answers", lambda: one.get().text == "three")
