"""The control API as such: envelopes, tokens, errors, bodies, limits; accounts and tokens."""
import http.client
import json
import threading
import time

import pytest

from harness import DEADLINE, until

pytestmark = pytest.mark.asan


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve(env={"CORRAL_LOG": "debug"})


def test_user_accounts_and_memberships(node):
    account = node.account
    user = node.result("GET", "/user")
    assert user["id"] == account["id"] and "@" in user["email"]
    verified = node.result("GET", "/user/tokens/verify")
    assert verified["status"] == "active" and len(verified["id"]) == 32
    said = node.api("GET", "/accounts?page=1")
    assert [(a["id"], a["name"]) for a in said.result] == [(account["id"], "main")]
    assert said.info == {"page": 1, "per_page": 50, "count": 1, "total_count": 1, "total_pages": 1}
    # Behind the last page there is nothing: who walks pages comes to an end.
    assert node.result("GET", "/accounts?page=2") == []
    member = node.result("GET", "/memberships?page=1")[0]
    assert member["account"]["id"] == account["id"] and member["status"] == "accepted"
    assert node.result("GET", "/memberships?page=2") == []
    assert node.result("GET", "/accounts/$ACC")["name"] == "main"
    assert node.result("GET", "/accounts/$ACC/workers/subdomain")["subdomain"] == account["subdomain"]
    assert node.api("GET", "/user").answer.headers["Content-Type"] == "application/json"


def test_what_is_wrong_with_a_request_is_said_in_the_envelope(node):
    said = node.api("GET", "/accounts/$ACC/nothing/here")
    assert said.status == 404 and said.codes == [7003, 7000] and said.result is None
    assert said.text.startswith("Could not route to /accounts/%s/nothing/here, perhaps" % node.account["id"])
    said = node.api("DELETE", "/user")
    assert said.status == 405 and said.codes == [10405] and said.answer.headers["Allow"] == "GET"
    for path in ("", "/", "//user", "/user/", "/accounts/" + 50 * "/a", "/accounts/%00", "/%zz", "/user%2ftokens"):
        said = node.api("GET", path)
        assert said.status in (400, 404) and said.errors[0]["code"] == 7003, path
    said = node.api("GET", "/user", token=None)
    assert (said.status, said.codes) == (401, [10000]) and "Authorization" in said.text
    assert said.answer.headers["WWW-Authenticate"] == "Bearer"
    said = node.api("GET", "/user", token=None, headers={"X-Auth-Key": "k", "X-Auth-Email": "me@example.com"})
    assert (said.status, said.codes) == (401, [10000]) and "X-Auth-Key" in said.text
    said = node.api("GET", "/user", token=None, headers={"Authorization": "Basic eDp5"})
    assert (said.status, said.codes) == (401, [10000])
    said = node.api("GET", "/user", token="crl_" + 40 * "x")
    assert (said.status, said.codes, said.text) == (401, [10000], "Authentication error")
    # A HEAD says what a GET would, without its body.
    answer = node.api_raw("HEAD", "/client/v4/user")
    assert (answer.status, answer.body) == (200, b"") and int(answer.headers["Content-Length"]) > 50


def test_json_is_read_by_its_content(node):
    node.result("PUT", "/accounts/$ACC/corral/quota", {"cpu_ms": 7})
    for kind in ("text/plain;charset=UTF-8", "application/merge-patch+json", "nonsense", ""):
        said = node.api("PUT", "/accounts/$ACC/corral/quota", b'{"cpu_ms": null}', headers={"Content-Type": kind})
        assert said.success and said.result["cpu_ms"] is None, kind
    cases = [(b"{", 400, "line 1"), (b"", 400, "object"), (b"[1", 400, ""), (b'{"cpu_ms": "7"}', 400, "whole number"),
             (b'{"cpu_ms": -1}', 400, "whole number"), (b'{"cpu": 1}', 400, "no quota"), (b"\xff\xfe", 400, ""),
             (b"[" * 1000 + b"]" * 1000, 400, "deeper than 64"), (b'{"a\\u0000": 1}', 400, ""),
             (b"[" + b"1," * (11 << 20), 413, "larger than")]
    for body, status, text in cases:
        said = node.api("PUT", "/accounts/$ACC/corral/quota", body)
        assert said.status == status and text in said.text, (body[:20], said.status, said.errors)
    # The body's length may be unknown at first.
    connection = http.client.HTTPConnection("127.0.0.1", node.api_port, timeout=DEADLINE)
    path = "/client/v4/accounts/%s/corral/quota" % node.account["id"]
    connection.request("PUT", path, iter([b'{"cpu', b'_ms": 9}']), {"Authorization": "Bearer " + node.token},
                       encode_chunked=True)
    assert json.loads(connection.getresponse().read())["result"]["cpu_ms"] == 9
    # More than stays in memory goes through a file, and is read as well.
    said = node.api("PUT", "/accounts/$ACC/corral/quota", b" " * (3 << 20) + b'{"cpu_ms": 0}')
    assert said.result["cpu_ms"] == 0
    assert list((node.data / "tmp").iterdir()) == []
    connection.close()


def test_the_subdomain(node):
    node.result("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": "home"})
    assert node.result("GET", "/accounts/$ACC/workers/subdomain")["subdomain"] == "home"
    assert node.api("GET", "/accounts/$ACC/workers/subdomains/free-one").codes == [10032]
    node.add_account("neighbour")
    taken = node.accounts["neighbour"]["subdomain"]
    assert node.api("GET", "/accounts/$ACC/workers/subdomains/" + taken).codes == [10031]
    said = node.api("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": taken})
    assert (said.status, said.codes) == (409, [10031])
    for wrong in ("-a", "a.b", "", 7, None):
        assert node.api("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": wrong}).status == 400
    assert node.result("GET", "/accounts/$ACC/workers/subdomain")["subdomain"] == "home"


def test_tokens(node):
    made = node.result("POST", "/user/tokens", {"name": "ci", "scope": "deploy"})
    assert made["value"].startswith("crl_") and made["scope"] == "deploy" and made["status"] == "active"
    assert node.result("GET", "/user/tokens/verify", token=made["value"])["id"] == made["id"]
    listed = {one["id"]: one for one in node.result("GET", "/user/tokens")}
    assert listed[made["id"]]["name"] == "ci" and "value" not in listed[made["id"]]
    assert node.api("GET", "/user/tokens", token=made["value"]).status == 403
    node.result("DELETE", "/user/tokens/" + made["id"])
    assert node.api("GET", "/user", token=made["value"]).status == 401
    assert node.api("DELETE", "/user/tokens/" + made["id"]).status == 404
    for wrong in ({}, {"scope": "root"}, {"scope": "read", "expires_on": "yesterday"},
                  {"scope": "read", "expires_on": "2001-01-01T00:00:00Z"}, []):
        assert node.api("POST", "/user/tokens", wrong).status == 400, wrong


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(serve):
    node = serve()
    assert node.api("GET", "/user").success

    def wrong(n):
        started = time.monotonic()
        said = node.api("GET", "/user", token="crl_%040d" % n)
        return said, time.monotonic() - started

    for n in range(10):
        assert wrong(n)[0].status == 401
    waits = [wrong(n)[1] for n in (10, 11, 12)]
    assert waits[0] > 0.09 and waits[1] > 0.19 and waits[2] > 0.39, waits
    # Many at once wait behind one another, the ninth and following not at all; who is known does not wait.
    found = []
    threads = [threading.Thread(target=lambda i=i: found.append(wrong(100 + i)[0])) for i in range(12)]
    for thread in threads:
        thread.start()
    early = until("some are refused", lambda: [said for said in found if said.status == 429])
    for n in range(20):
        assert node.api("GET", "/user").success
    assert len(found) < 12  # they wait for seconds
    for said in early:
        assert said.codes == [971] and int(said.answer.headers["Retry-After"]) >= 1
    node.stop()  # the node does not wait for those who wait
    for thread in threads:
        thread.join()
    assert {said.status for said in found} <= {401, 429, 503} and any(said.status == 429 for said in found)


def test_a_client_that_leaves_is_forgotten(node):
    for size in (10, 100_000, 2_000_000):
        connection = http.client.HTTPConnection("127.0.0.1", node.api_port, timeout=DEADLINE)
        connection.putrequest("PUT", "/client/v4/accounts/%s/workers/scripts/gone" % node.account["id"])
        connection.putheader("Authorization", "Bearer " + node.token)
        connection.putheader("Content-Length", "3000000")
        connection.endheaders()
        connection.send(b"x" * size)
        connection.close()
    assert node.api("GET", "/user").success
    assert node.result("GET", "/accounts/$ACC/workers/scripts") == []
