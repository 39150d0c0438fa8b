"""Uploads, versions, deployments, secrets, settings through the API, as both generations of wrangler send them."""
import contextlib
import json
import os
import threading
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import pytest

from serve import multipart, upload_form

pytestmark = pytest.mark.asan

DATE = "2024-03-29"
SCRIPTS = "/accounts/$ACC/workers/scripts/"
SECRET = {"name": "SECRET_KEY", "text": "s3cret", "type": "secret_text"}


def code(tag, names="A SECRET_KEY FOO B"):
    return ("from js import Response\n"
            "def on_fetch(request, env):\n"
            "    return Response.new(' '.join(['%s'] + [str(getattr(env, n, '-')) for n in '%s'.split()]))\n" % (tag, names))


def about(**more):
    return dict({"compatibility_date": DATE}, **more)


def var(name, text):
    return {"name": name, "type": "plain_text", "text": text}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def post_version(node, name, files, query="", **metadata):
    kind, body = upload_form(files, about(**metadata))
    return node.api("POST", SCRIPTS + name + "/versions" + query, body, headers={"Content-Type": kind})


def deploy_version(node, name, *shares, **more):
    versions = [{"version_id": one, "percentage": share} for one, share in shares]
    return node.api("POST", SCRIPTS + name + "/deployments", dict({"strategy": "percentage", "versions": versions}, **more))


def secrets_of(node, name):
    return sorted(one["name"] for one in node.result("GET", SCRIPTS + name + "/secrets"))


def test_the_first_deploy_of_both_wranglers(node):
    for path, number in (("services/new", 10090), ("scripts/new/deployments", 10007), ("scripts/new/secrets", 10007),
                         ("scripts/new/settings", 10007), ("scripts/new", 10007), ("workers/new", 10007),
                         ("scripts/new/versions", 10007), ("scripts/new/subdomain", 10007), ("scripts/new/schedules", 10007)):
        said = node.api("GET", "/accounts/$ACC/workers/" + path)
        assert (said.status, said.codes) == (404, [number]), path
        assert said.text == "This Worker does not exist on your account."
    kind, body = upload_form(code("v1"), about(bindings=[var("A", "a")]))
    said = node.api("PUT", SCRIPTS + "new?include_subdomain_availability=true&excludeScript=true", body,
                    headers={"Content-Type": kind, "User-Agent": "wrangler/3.78.8"})
    result = said.result
    # Trap 1: 32 digits, else wrangler 3 prints "Current Version ID: null".
    assert len(result["deployment_id"]) == 32 and int(result["deployment_id"], 16)
    assert result["id"] == "new" and result["handlers"] == ["fetch"] and result["startup_time_ms"] >= 0
    assert result["available_on_subdomain"] is True and len(result["etag"]) == 64 and len(result["tag"]) == 32
    assert result["compatibility_date"] == DATE and result["created_on"].endswith("Z") and len(result["created_on"]) == 27
    assert node.get("new").text == "v1 a - - -"
    # Trap 7: the resource that wrangler 4 reads behind each upload.
    worker = node.result("GET", "/accounts/$ACC/workers/workers/new")
    assert worker["subdomain"]["enabled"] is True and worker["subdomain"]["previews_enabled"] is False
    assert worker["subdomain"]["url"].startswith("http://new.main.test") and worker["id"] == result["tag"]
    assert node.result("GET", "/accounts/$ACC/workers/workers/" + result["tag"])["name"] == "new"
    assert node.result("POST", SCRIPTS + "new/subdomain", {"enabled": True}) == node.result("GET", SCRIPTS + "new/subdomain")
    service = node.result("GET", "/accounts/$ACC/workers/services/new")
    assert service["id"] == "new" and service["default_environment"]["environment"] == "production"
    assert service["default_environment"]["script"]["tag"] == result["tag"]
    assert service["default_environment"]["script"]["last_deployed_from"] == "wrangler"
    environment = node.result("GET", "/accounts/$ACC/workers/services/new/environments/production")
    assert environment["script"]["id"] == "new"
    deployment = node.result("GET", SCRIPTS + "new/deployments")["deployments"][0]
    version = deployment["versions"][0]["version_id"]
    assert version.replace("-", "") == result["deployment_id"] and deployment["versions"][0]["percentage"] == 100
    assert deployment["source"] == "wrangler" and deployment["annotations"] == {"workers/triggered_by": "upload"}
    found = node.result("GET", SCRIPTS + "new/versions/" + version)
    assert found["number"] == 1 and found["resources"]["bindings"] == [var("A", "a")]
    assert found["resources"]["script"]["handlers"] == ["fetch"] and found["resources"]["script_runtime"]["limits"] == {}
    assert [one["id"] for one in node.result("GET", "/accounts/$ACC/workers/scripts")].count("new") == 1


def test_secrets_stay_in_both_ways_of_deploying(node):
    """Trap 2 and trap 7: nothing is said of secrets by wrangler 3, keep_bindings by wrangler 4."""
    node.deploy("kept", code("v1"), about())
    assert node.result("PUT", SCRIPTS + "kept/secrets", SECRET) == {"name": "SECRET_KEY", "type": "secret_text"}
    assert node.get("kept").text == "v1 - s3cret - -"
    said = post_version(node, "kept", code("v2"), bindings=[var("A", "a")])
    assert said.success, said.errors
    assert node.get("kept").text == "v1 - s3cret - -"  # not deployed yet
    assert deploy_version(node, "kept", (said.result["id"], 100), annotations={}).success
    assert node.get("kept").text == "v2 a s3cret - -"
    node.deploy("kept", code("v3"), about(keep_bindings=["secret_text", "secret_key"]))
    assert node.get("kept").text == "v3 - s3cret - -"
    node.deploy("kept", code("v4"), about(keep_bindings=["plain_text"], bindings=[var("A", "x")]))
    node.deploy("kept", code("v5"), about(keep_bindings=["plain_text"]))
    assert node.get("kept").text == "v5 x s3cret - -"
    # A variable takes a secret's name.
    node.deploy("kept", code("v6"), about(bindings=[var("SECRET_KEY", "open")]))
    assert node.get("kept").text == "v6 - open - -" and secrets_of(node, "kept") == []
    # `versions secret delete` of wrangler 3 names one kind of secret and not the other.
    node.result("PUT", SCRIPTS + "kept/secrets", dict(SECRET, name="FOO"))
    node.result("PUT", SCRIPTS + "kept/secrets", dict(SECRET, name="B"))
    said = post_version(node, "kept", code("v7"), keep_bindings=["secret_key"], bindings=[{"type": "inherit", "name": "B"}])
    names = [one["name"] for one in said.result["resources"]["bindings"]]
    assert names == ["B"]


def test_inherited_bindings(node):
    node.deploy("heir", code("v1"), about(bindings=[var("A", "a"), {"name": "B", "type": "json", "json": [1]}]))
    node.deploy("heir", code("v2"), about(bindings=[{"name": "A", "type": "inherit"},
                                                    {"name": "FOO", "type": "inherit", "old_name": "A"}]))
    assert node.get("heir").text == "v2 a - a -"
    missing = about(bindings=[{"name": "NONE", "type": "inherit"}])
    kind, body = upload_form(code("v3"), missing)
    said = node.api("PUT", SCRIPTS + "heir?bindings_inherit=strict", body, headers={"Content-Type": kind})
    assert (said.status, said.codes) == (400, [10057]) and "NONE" in said.text
    assert node.get("heir").text == "v2 a - a -"
    node.deploy("heir", code("v4"), missing)  # not strict: it is left out
    assert node.get("heir").text == "v4 - - - -"


def test_a_worker_with_the_code_of_a_draft_is_one(node):
    """Code that says no more than wrangler's draft, uploaded as a worker: by its module's name and its date."""
    for name, main, metadata in (("brief", "index.js", {}), ("brief2", "brief2", {"compatibility_date": "2026-01-01"})):
        kind, body = multipart([("metadata", None, None, json.dumps(dict({"main_module": main, "bindings": []}, **metadata)).encode()),
                                (main, main, "application/javascript+module", b"export default { fetch() {} }")])
        assert node.api("PUT", SCRIPTS + name, body, headers={"Content-Type": kind}).success
        assert len(node.result("GET", SCRIPTS + name + "/deployments")["deployments"]) == 1
        assert node.get(name).status == 500


def test_secret_put_before_there_is_code(node):
    """Trap 10: wrangler 4 makes a draft first."""
    said = node.api("PUT", SCRIPTS + "draft/secrets", SECRET)
    assert (said.status, said.codes) == (404, [10007])
    kind, body = multipart([("metadata", None, None, b'{"main_module":"draft","bindings":[],"logpush":false}'),
                            ("draft", "draft", "application/javascript+module", b"export default { fetch() {} }")])
    said = node.api("PUT", SCRIPTS + "draft", body, headers={"Content-Type": kind})
    assert said.success and said.result["id"] == "draft", said.errors
    node.result("PUT", SCRIPTS + "draft/secrets", SECRET)
    assert secrets_of(node, "draft") == ["SECRET_KEY"]
    assert node.result("GET", SCRIPTS + "draft/deployments") == {"deployments": []}
    assert node.get("draft").status == 404
    version = node.result("GET", SCRIPTS + "draft/versions")["items"][0]["id"]
    said = deploy_version(node, "draft", (version, 100))
    assert said.status == 400 and "no code" in said.text
    said = post_version(node, "draft", code("v1"), keep_bindings=["secret_text", "secret_key"])
    assert deploy_version(node, "draft", (said.result["id"], 100)).success
    assert node.get("draft").text == "v1 - s3cret - -"


def test_what_does_not_start_changes_nothing(node):
    """Trap 18: 400, code 10021, the traceback; the old version goes on."""
    node.deploy("firm", code("v1"), about())
    for files, text in (("import nothing_like_it\n", "nothing_like_it"), ("x = 1/0\n", "ZeroDivisionError"),
                        ("def on_fetch(:\n", "SyntaxError")):
        said = node.upload("firm", files, about())
        assert (said.status, said.codes) == (400, [10021]) and text in said.text
        said = post_version(node, "firm", files)
        assert (said.status, said.codes) == (400, [10021]) and text in said.text
    assert node.get("firm").text == "v1 - - - -"
    assert len(node.result("GET", SCRIPTS + "firm/versions")["items"]) == 1
    assert node.upload("never", "x = 1/0\n", about()).status == 400
    assert node.api("GET", SCRIPTS + "never/versions").codes == [10007]


def test_what_cannot_be_uploaded(node):
    python = code("v1")
    later = {"compatibility_date": "2999-01-01"}
    for metadata, files, text in (
            (later, python, "in the future"), ({"compatibility_date": "2024-02-30"}, python, "Invalid compatibility date"),
            ({"compatibility_date": "now"}, python, "Invalid compatibility date"), ({"compatibility_date": 7}, python, "string"),
            ({"compatibility_flags": ["python_workerz"]}, python, "python_workers"),
            ({"compatibility_flags": "x"}, python, "array"), ({"main_module": "other.py"}, python, "No such module"),
            ({"main_module": ""}, python, "main_module"), ({"bindings": {}}, python, "arrays"),
            ({"bindings": ["x"]}, python, "object"), ({"bindings": [var("A", "1"), var("A", "2")]}, python, "twice"),
            ({"bindings": [{"name": "DB", "type": "d1"}]}, python, "must have a valid `id`"),
            ({"annotations": []}, python, "annotations"), ({"annotations": {"a": 1}}, python, "Annotation"),
            ({"main_module": "index.js", "compatibility_flags": []}, {"index.js": "export default {}", "x.py": python}, "is Python"),
            ({"main_module": "a.txt", "compatibility_flags": []}, {"a.txt": "x"}, "no JavaScript"),
            ({"main_module": None, "body_part": "entry.py"}, python, "body_part"),
            ({"main_module": "index.js"}, {"index.js": "export default {}"}, ".py file"),
            ({}, {"entry.py": python, "../escape.py": "x=1"}, ""), ({}, {"entry.py": python, "/etc/x": "x"}, ""),
            ({}, {"entry.py": python, "a//b.py": "x"}, ""), ({}, {"entry.py": python, "a": "x", "a/b.py": "x"}, "")):
        said = node.upload("wrong", files, about(**metadata))
        assert (said.status, said.codes) == (400, [10021]) and text in said.text, (metadata, files, said.errors)
    for kind, body in (("application/json", b"{}"), ("multipart/form-data", b"x"), ("multipart/form-data; boundary=b", b"x"),
                       multipart([("x.py", "x.py", None, b"")]), multipart([("metadata", None, None, b"{")]),
                       multipart([("metadata", None, None, b"[]")]),
                       multipart([("metadata", None, None, b'{"main_module":' + b"[" * 100 + b"]" * 100 + b"}")]),
                       multipart([("metadata", None, None, b'{"main_module":"' + b"x" * (11 << 20) + b'"}')])):
        said = node.api("PUT", SCRIPTS + "wrong", body, headers={"Content-Type": kind})
        assert said.status == 400 and said.codes == [10021], (kind, body, said.errors)
    for name in ("a" * 64, "a.b", "%20", "-%2f-"):
        assert node.upload(name, python, about()).status in (400, 404), name
    assert "wrong" not in [one["id"] for one in node.result("GET", "/accounts/$ACC/workers/scripts")]


def test_requirements_that_come_one_by_one(node):
    """Trap 4: wrangler 3 sends an empty part for each; trap 3: and calls Python JavaScript."""
    kind, body = multipart([
        ("metadata", None, None, json.dumps(about(main_module="entry.py", bindings=[],
                                                  compatibility_flags=["python_workers"])).encode()),
        ("entry.py", "entry.py", "application/javascript+module", code("v1").encode()),
        ("jinja2", "jinja2", "text/x-python-requirement", b""), ("click", "click", "text/x-python-requirement", b"")])
    said = node.api("PUT", SCRIPTS + "reqs", body, headers={"Content-Type": kind})
    assert said.success, said.errors
    answer = node.api_raw("GET", "/client/v4/accounts/%s/workers/scripts/reqs/content/v2" % node.account["id"])
    assert answer.headers["cf-entrypoint"] == "entry.py"
    parts = parts_of(answer)
    # As they came, so that `versions secret put` of wrangler 3 can send them again.
    assert parts["entry.py"] == ("text/x-python", code("v1").encode())
    assert parts["jinja2"] == parts["click"] == ("text/x-python-requirement", b"")
    wrong = body.replace(b'"click"', b'"-r/etc/passwd"')
    said = node.api("PUT", SCRIPTS + "reqs", wrong, headers={"Content-Type": kind})
    assert (said.status, said.codes) == (400, [10021]) and "requirement" in said.text


def parts_of(answer):
    """{name: (type, bytes)}; each part must carry a filename, or wrangler 3 reads it as a string (trap 11)."""
    whole = b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n" + answer.body
    found = {}
    for part in BytesParser(policy=HTTP).parsebytes(whole).iter_parts():
        name = part.get_param("name", header="content-disposition")
        assert part.get_filename() == name
        found[name] = (part.get_content_type(), part.get_payload(decode=True))
    return found


def test_a_large_worker_comes_back_as_it_went(node):
    files = {"entry.py": code("v1"), "data/big.bin": bytes(range(256)) * 20000, "odd %22 name.txt": "x"}
    node.deploy("large", files, about())
    answer = node.api_raw("GET", "/client/v4/accounts/%s/workers/scripts/large/content/v2" % node.account["id"])
    assert int(answer.headers["Content-Length"]) == len(answer.body) > 5000000
    for name, content in files.items():
        assert b"\r\n\r\n" + (content if isinstance(content, bytes) else content.encode()) + b"\r\n--" in answer.body, name
    assert b'filename="odd %22 name.txt"' in answer.body
    assert list((node.data / "tmp").iterdir()) == []


def test_secret_bulk_of_both_wranglers(node):
    """Trap 9."""
    node.deploy("bulk", code("v1"), about(bindings=[var("A", "a"), {"name": "J", "type": "json", "json": {"x": 1}}]))
    node.result("PUT", SCRIPTS + "bulk/secrets", SECRET)
    settings = node.result("GET", SCRIPTS + "bulk/settings")
    existing = [{"type": one["type"], "name": one["name"]} for one in settings["bindings"]]
    assert {"type": "secret_text", "name": "SECRET_KEY"} in settings["bindings"]
    new = [{"type": "secret_text", "name": "FOO", "text": "1"}, {"type": "secret_text", "name": "B", "text": "2"}]
    kind, body = multipart([("settings", None, None, json.dumps({"bindings": existing + new}).encode())])
    said = node.api("PATCH", SCRIPTS + "bulk/settings", body, headers={"Content-Type": kind})
    assert said.success and "s3cret" not in said.answer.text, said.errors
    assert node.get("bulk").text == "v1 a s3cret 1 2"
    result = node.result("PATCH", SCRIPTS + "bulk/secrets-bulk", headers={"Content-Type": "application/merge-patch+json"},
                         body=json.dumps({"secrets": {"FOO": {"name": "FOO", "text": "9", "type": "secret_text"}, "B": None,
                                                      "NEVER": None}}))
    assert sorted(one["name"] for one in result) == ["FOO", "SECRET_KEY"]
    assert node.get("bulk").text == "v1 a s3cret 9 -"
    for wrong in ({}, {"secrets": []}, {"secrets": {"X": "text"}}, {"secrets": {"X": {"text": 7}}}):
        assert node.api("PATCH", SCRIPTS + "bulk/secrets-bulk", wrong).status == 400, wrong
    assert node.result("GET", SCRIPTS + "bulk/secrets/FOO") == {"name": "FOO", "type": "secret_text"}
    assert node.result("DELETE", SCRIPTS + "bulk/secrets/FOO?url_encoded=true") is None
    assert node.api("DELETE", SCRIPTS + "bulk/secrets/FOO").status == 404
    assert node.api("DELETE", SCRIPTS + "bulk/secrets/A").status == 404  # a variable is no secret
    assert node.api("PUT", SCRIPTS + "bulk/secrets", {"name": "X", "type": "plain_text", "text": ""}).status == 400
    assert node.get("bulk").text == "v1 a s3cret - -"


def test_versions_secret_put_of_both_wranglers(node):
    """Trap 11."""
    node.deploy("later", code("v1"), about(bindings=[var("A", "a")]))
    patch = {"env": {"FOO": {"type": "secret_text", "text": "bar"}}, "annotations": {"workers/message": "Updated secret"}}
    made = node.result("PATCH", "/accounts/$ACC/workers/workers/later/versions/latest", patch,
                       headers={"Content-Type": "application/merge-patch+json"})
    assert made["annotations"]["workers/message"] == "Updated secret" and "bar" not in json.dumps(made)
    assert node.get("later").text == "v1 a - - -"  # made, not deployed
    answer = node.api_raw("GET", "/client/v4/accounts/%s/workers/scripts/later/content/v2?version=%s"
                          % (node.account["id"], made["id"]))
    said = post_version(node, "later", {"entry.py": parts_of(answer)["entry.py"][1]}, keep_bindings=["secret_key", "secret_text"],
                        bindings=[var("A", "a"), {"type": "secret_text", "name": "B", "text": "b"}], keep_assets=True)
    assert deploy_version(node, "later", (said.result["id"], 100)).success
    assert node.get("later").text == "v1 a - bar b"
    assert node.api("PATCH", "/accounts/$ACC/workers/workers/none/versions/latest", patch).codes == [10007]


def test_versions_deployments_and_going_back(node):
    node.deploy("many", code("v1"), about())
    first = node.result("GET", SCRIPTS + "many/versions")["items"][0]["id"]
    second = post_version(node, "many", code("v2"), annotations={"workers/message": "why", "workers/tag": "t"}).result
    assert second["annotations"]["workers/message"] == "why" and second["number"] == 2
    for wrong, status in (([], 400), ([(first, 50)], 400), ([(first, 50), (second["id"], 51)], 400), ([("x", 100)], 400),
                          ([("11111111-2222-4333-8444-555555555555", 100)], 404), ([(first, 50), (first, 50)], 400),
                          ([(first, "100")], 400), ([(first, -1), (second["id"], 101)], 400)):
        assert deploy_version(node, "many", *wrong).status == status, wrong
    assert deploy_version(node, "many", (first, 50), (second["id"], 50), annotations={"workers/message": "half"}).success
    assert {node.get("many").text[:2] for _ in range(40)} == {"v1", "v2"}
    for chosen, text in ((first, "v1"), (second["id"], "v2")):
        headers = {"Cloudflare-Workers-Version-Overrides": 'many="%s"' % chosen}
        assert node.get("many", headers=headers).text.startswith(text)
    said = node.api("POST", SCRIPTS + "many/deployments?force=true",
                    {"strategy": "percentage", "versions": [{"version_id": first, "percentage": 100}],
                     "annotations": {"workers/message": "back"}, "code_update_strategy": {"mode": "deferred", "max_delay": 300}})
    assert said.success and {node.get("many").text[:2] for _ in range(10)} == {"v1"}
    newest = node.result("GET", SCRIPTS + "many/deployments")["deployments"][0]
    assert newest["annotations"]["workers/message"] == "back"
    assert node.result("GET", SCRIPTS + "many/deployments/" + newest["id"])["id"] == newest["id"]
    said = node.api("GET", SCRIPTS + "many/versions?per_page=1&page=2")
    assert [one["number"] for one in said.result["items"]] == [1] and said.info["total_count"] == 2
    assert node.result("GET", SCRIPTS + "many/versions?page=3")["items"] == []
    assert len(node.result("GET", SCRIPTS + "many/versions?deployable=true")["items"]) == 2
    assert node.api("GET", SCRIPTS + "many/versions/nothing").status == 404


def test_settings(node):
    node.deploy("set", code("v1"), about(observability={"enabled": True}, limits={"cpu_ms": 50}))
    settings = node.result("GET", SCRIPTS + "set/script-settings")
    assert settings == {"logpush": False, "tags": [], "tail_consumers": [], "observability": {"enabled": True}}
    node.result("PATCH", SCRIPTS + "set/script-settings", {"tags": ["a"]})
    settings = node.result("GET", SCRIPTS + "set/settings")
    assert settings["tags"] == ["a"] and settings["observability"] == {"enabled": True} and settings["limits"] == {"cpu_ms": 50}
    worker = node.result("PATCH", "/accounts/$ACC/workers/workers/set", {"subdomain": {"enabled": False}, "tags": ["b"]})
    assert worker["subdomain"]["enabled"] is False and worker["tags"] == ["b"]
    assert node.get("set").status == 404
    assert node.result("POST", SCRIPTS + "set/subdomain", {"enabled": True, "previews_enabled": True})["previews_enabled"] is True
    assert node.get("set").text == "v1 - - - -"
    # An upload is all there is to say: what it does not name goes, but for tags.
    node.deploy("set", code("v2"), about())
    assert node.result("GET", SCRIPTS + "set/script-settings") == {
        "logpush": False, "tags": ["b"], "tail_consumers": [], "observability": {"enabled": False}}
    for wrong in ({"tags": "x"}, {"tags": [1]}, {"logpush": 1}, {"observability": []}, []):
        assert node.api("PATCH", SCRIPTS + "set/script-settings", wrong).status == 400, wrong
    for wrong in ({}, {"enabled": "yes"}, [], {"enabled": True, "previews_enabled": 1}):
        assert node.api("POST", SCRIPTS + "set/subdomain", wrong).status == 400, wrong


def test_two_deploys_at_once_are_each_whole(node):
    node.deploy("race", code("v0", "A B"), about(bindings=[var("A", "v0"), var("B", "v0")]))
    node.result("PUT", SCRIPTS + "race/secrets", SECRET)
    seen, said, over = [], [], threading.Event()

    def look():
        while not (over.is_set() and seen):
            seen.append(node.get("race").text)

    def deploy(tag):
        said.append(node.upload("race", code(tag, "A B SECRET_KEY"), about(bindings=[var("A", tag), var("B", tag)])))

    def change():
        said.append(node.api("PUT", SCRIPTS + "race/secrets", dict(SECRET, name="OTHER")))

    looker = threading.Thread(target=look)
    threads = [threading.Thread(target=deploy, args=("v%d" % n,)) for n in (1, 2, 3)] + [threading.Thread(target=change)]
    for thread in [looker] + threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    looker.join()
    assert len(said) == 4 and all(one.success for one in said), [one.errors for one in said]
    assert {len(set(text.split()[:3])) for text in seen} == {1}, set(seen)  # no mix
    assert secrets_of(node, "race") == ["OTHER", "SECRET_KEY"]  # and no secret lost
    newest = node.result("GET", SCRIPTS + "race/deployments")["deployments"][0]["versions"][0]["version_id"]
    version = node.result("GET", SCRIPTS + "race/versions/" + newest)
    assert node.get("race").text.split()[0] == version["resources"]["bindings"][0]["text"]


def test_deleting(node):
    node.deploy("target", code("v1"), about())
    node.deploy("user", code("v1"), about(bindings=[var("A", "a")]))
    assert node.result("GET", SCRIPTS + "target/references")["services"]["incoming"] == []
    assert node.result("GET", "/accounts/$ACC/workers/tails/by-consumer/target") == []
    service = node.result("DELETE", "/accounts/$ACC/workers/services/target?force=true")
    assert service["id"] == "target"
    assert node.get("target").status == 404
    assert node.api("DELETE", "/accounts/$ACC/workers/services/target?force=true").codes == [10090]
    assert node.result("DELETE", SCRIPTS + "user") is None
    assert node.api("DELETE", SCRIPTS + "user").codes == [10007]
    node.deploy("user", code("v2"), about())
    assert secrets_of(node, "user") == [] and node.get("user").text == "v2 - - - -"


def test_no_secret_is_told(node):
    """Not in an answer, not in the log, in no file of the data folder."""
    planted = "planted-" + "q" * 40
    node.deploy("quiet", code("v1"), about())
    node.result("PUT", SCRIPTS + "quiet/secrets", dict(SECRET, text=planted))
    version = post_version(node, "quiet", code("v2"), bindings=[{"type": "secret_text", "name": "B", "text": planted}]).result
    said = node.api("PUT", SCRIPTS + "quiet/secrets", {"name": "X", "type": "nonsense", "text": planted})
    assert said.status == 400 and planted not in said.answer.text
    assert node.get("quiet").text == "v1 - %s - -" % planted  # it is there
    for path in ("scripts/quiet/secrets", "scripts/quiet/secrets/SECRET_KEY", "scripts/quiet/settings", "scripts/quiet/versions",
                 "scripts/quiet/versions/" + version["id"], "scripts/quiet/deployments", "services/quiet", "workers/quiet",
                 "scripts/quiet", "services/quiet/environments/production/bindings"):
        answer = node.api_raw("GET", "/client/v4/accounts/%s/workers/%s" % (node.account["id"], path))
        assert answer.status == 200 and planted.encode() not in answer.body, path
    assert not any(planted in line for line in node.log_lines())
    looked_at = 0
    for folder, _, names in os.walk(node.data):
        for name in names:
            with contextlib.suppress(FileNotFoundError):        # the node works on beside us
                if os.path.isfile(os.path.join(folder, name)):
                    assert planted.encode() not in Path(folder, name).read_bytes(), (folder, name)
                    looked_at += 1
    assert looked_at > 10
