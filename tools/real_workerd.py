"""real_workerd - workerd and miniflare themselves, from npm: what we compare D1 with.

Fetched once into build/wrangler (or $CORRAL_WRANGLER); wants npm and node.
"""
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("CORRAL_WRANGLER", ROOT / "build/wrangler"))
VERSION = "4.86.0"      # of wrangler, which brings miniflare and workerd of its own
DATE = "2026-04-01"
MAIN = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const { Miniflare } = createRequire(process.argv[1])('miniflare');
const { script, databases, date } = JSON.parse(readFileSync(0, 'utf8'));
const flare = new Miniflare({ modules: true, script, compatibilityDate: date, d1Databases: databases, defaultPersistRoot: process.argv[2] });
const answer = await flare.dispatchFetch('http://worker/');
console.log('\\n=>' + await answer.text());
await flare.dispose();
"""


def installed():
    """The node_modules with miniflare."""
    home = KEPT / "node_modules"
    if not (home / "miniflare/package.json").exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / "package.json").write_text("{}")
        ran = subprocess.run(["npm", "install", "--no-audit", "--no-fund", f"wrangler@{VERSION}"], cwd=KEPT, text=True, capture_output=True)
        if ran.returncode:
            raise SystemExit(f"npm cannot install wrangler@{VERSION}:\n{ran.stderr}")
    found = json.loads((home / "wrangler/package.json").read_text())["version"]
    if found != VERSION:
        raise SystemExit(f"{home} holds wrangler {found}; the outcomes are of {VERSION}")
    return home


def answer_of(worker, bindings):
    """The text that a JavaScript worker with a new D1 database for each of these bindings answers with."""
    asked = {"script": worker, "databases": {name: name for name in bindings}, "date": DATE}
    with tempfile.TemporaryDirectory() as state:
        ran = subprocess.run(["node", "--input-type=module", "-e", MAIN, str(installed() / "x.js"), state],
                             input=json.dumps(asked), text=True, capture_output=True)
    said, found, answer = ran.stdout.rpartition("\n=>")
    if not found:
        raise SystemExit(f"workerd failed:\n{said}{ran.stderr}")
    return answer.rstrip("\n")
