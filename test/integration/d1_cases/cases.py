"""The cases of D1: read from a file, and made into a script.

What stands before the first case of a file belongs to each of them.  A case is "## name" and under it the body of a JavaScript async function, of (env, DB); what else it sees, runner.js says.
What it returns, or throws, is its outcome.  Each has an empty database of its own.

After the name may stand: "differs: why" (Corral means to differ: the case checks with is() what is meant, and
ends with 'as meant') or "skip: why" (not run here).
"""
import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent
HEAD = re.compile(r"^## (\w+)(.*)$", re.M)
AS_MEANT = '"as meant"'
SEES = "{ what, is, show, did, cost, all, raw, run, first }"


def files():
    return sorted(FOLDER.glob("*.cases"))


def cases_of(file):
    """(name, options, body) of each case of a file."""
    before, *parts = HEAD.split(file.read_text())
    return [(parts[i], parts[i + 1].strip(), (before + parts[i + 2]).strip("\n")) for i in range(0, len(parts), 3)]


def binding(file, name):
    return f"{file.stem}__{name}"


def script(file, only=None):
    """A JavaScript expression: env => a promise of {name: outcome}."""
    bodies = [f"{json.dumps(name)}: async ({SEES}, env, DB) => {{\n{body}\n}}" for name, _, body in cases_of(file) if only in (None, name)]
    return f"((env) => {(FOLDER / 'runner.js').read_text().strip()}({{\n{','.join(bodies)}\n}}, env, {json.dumps(binding(file, ''))}))"
