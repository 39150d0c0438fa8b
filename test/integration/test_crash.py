"""A node that is killed with -9 at any moment of deploys and changes of secrets: what was acknowledged is there, nothing is half."""
import http.client
import random
import sqlite3
import threading

import pytest

from harness import DEADLINE, until

CHANGES, KILLS = 200, 10    # at least
ENTRY = """\
from js import Response

NUMBER = "%d"


async def on_fetch(request, env):
    return Response.new(NUMBER + " " + env.SECRET)
"""
BROKEN = (OSError, http.client.HTTPException, ValueError)


class Changes:
    """Numbered changes, one after the other, in a thread; what was acknowledged and what was tried last."""

    def __init__(self):
        self.code = self.secret = self.done = 0
        self.tried = {"code": 0, "secret": 0}
        self.refused = None

    def deploy(self, node):
        self.tried["code"] = number = self.done + 1
        said = node.upload("steady", {"entry.py": ENTRY % number}, {"keep_bindings": ["secret_text"],
                           "compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
        assert said.success, said.errors
        self.code = self.done = number

    def put_secret(self, node):
        self.tried["secret"] = number = self.done + 1
        said = node.api("PUT", "/accounts/$ACC/workers/scripts/steady/secrets", {"name": "SECRET", "text": str(number), "type": "secret_text"})
        assert said.success, said.errors
        self.secret = self.done = number

    def run(self, node, random_of_thread):
        """Until the node is gone; a refusal is the test's end."""
        try:
            while True:
                (self.put_secret if random_of_thread.random() < 0.4 else self.deploy)(node)
        except BROKEN:
            pass
        except AssertionError as e:
            self.refused = e


def assert_whole(data):
    """The catalog as SQLite sees it, and every version that a deployment names."""
    with sqlite3.connect("file:%s/catalog.sqlite?mode=ro" % data, uri=True) as catalog:
        assert catalog.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert catalog.execute("PRAGMA foreign_key_check").fetchall() == []
    catalog.close()


def serves(node, changes):
    """One version, whole: what was acknowledged last, or what was being changed when the node died."""
    answer = node.request("steady")
    assert answer.status == 200, (answer.status, answer.text)
    code, secret = map(int, answer.text.split())
    assert code in (changes.code, changes.tried["code"]) and secret in (changes.secret, changes.tried["secret"]), (code, secret, vars(changes))
    changes.code, changes.secret = code, secret
    changes.done = max(changes.done, code, secret)
    changes.tried = {"code": code, "secret": secret}


@pytest.mark.long
@pytest.mark.apart
def test_killed_at_random_during_deploys_and_secrets(serve, tmp_path):
    chance, chance_of_thread = random.Random(7), random.Random(8)
    data, changes, kills = tmp_path / "data", Changes(), 0
    node = serve(data=data)
    tokens, accounts = node.tokens, node.accounts
    said = node.upload("steady", {"entry.py": ENTRY % 0}, {"bindings": [{"type": "secret_text", "name": "SECRET", "text": "0"}],
                       "compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]})
    assert said.success, said.errors
    while changes.done < CHANGES or kills < KILLS:
        thread = threading.Thread(target=changes.run, args=(node, chance_of_thread))
        goal = changes.done + chance.randrange(1, 24)
        thread.start()
        until("some changes", lambda: changes.done >= goal or not thread.is_alive(),
              deadline=4 * DEADLINE, every=chance.uniform(0.001, 0.05))
        assert changes.refused is None, changes.refused
        node.kill()
        kills += 1
        thread.join()
        assert_whole(data)
        node = serve(data=data, token=False)
        node.tokens, node.accounts = tokens, accounts
        serves(node, changes)
    listed = node.result("GET", "/accounts/$ACC/workers/scripts/steady/deployments")["deployments"]
    for share in listed[0]["versions"]:
        node.result("GET", "/accounts/$ACC/workers/scripts/steady/versions/" + share["version_id"])
