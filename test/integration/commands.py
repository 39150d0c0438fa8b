"""The developer's commands for tests: run one against a node, or in a terminal of its own."""
import os
import subprocess

from harness import BIN, DEADLINE
from test_terminal import Terminal

# What would lead a command elsewhere: none of the machine's own.
NAMES = ("CORRAL_API_URL", "CLOUDFLARE_API_BASE_URL", "CORRAL_API_TOKEN", "CLOUDFLARE_API_TOKEN", "CORRAL_ACCOUNT_ID",
         "CLOUDFLARE_ACCOUNT_ID")


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Commands:
    """`corral ...` in a folder, with a home of its own, for a node (or none)."""

    def __init__(self, folder, home, node=None, env=None):
        self.folder, self.home, self.node = folder, home, node
        self.env = {name: value for name, value in os.environ.items() if name not in NAMES}
        self.env.update({"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")})
        if node is not None:
            self.env.update({"CORRAL_API_URL": node.api_url, "CORRAL_API_TOKEN": node.token})
        self.env.update(env or {})

    def _environment(self, env):
        merged = dict(self.env, **(env or {}))
        return {name: value for name, value in merged.items() if value is not None}

    def __call__(self, *arguments, code=0, stdin="", env=None, cwd=None):
        """Run it; its exit code must be `code`.  env: a value None takes a variable away."""
        command = [str(BIN / "corral")] + [str(a) for a in arguments]
        done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self._environment(env), cwd=cwd or self.folder, timeout=3 * DEADLINE)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, (arguments, done.returncode, out, err)
        for name in ("CORRAL_API_TOKEN", "CLOUDFLARE_API_TOKEN"):   # no token is ever shown
            token = self._environment(env).get(name)
            assert not token or len(token) < 8 or token not in out + err, arguments
        return Done(done.returncode, out, err)

    def terminal(self, *arguments, env=None, cwd=None):
        """Run it in a terminal; close() it."""
        merged = self._environment(env)
        removed = {name: "" for name in NAMES if name not in merged}
        command = ["env", "-C", str(cwd or self.folder), str(BIN / "corral")] + [str(a) for a in arguments]
        return Terminal(command, dict(merged, **removed))
