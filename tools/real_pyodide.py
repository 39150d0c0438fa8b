"""real_pyodide - Pyodide itself, from npm, under a Node of npm: what we compare with.

Fetched once into build/pyodide (or $CORRAL_PYODIDE); wants npm.
"""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("CORRAL_PYODIDE", ROOT / "build/pyodide"))
VERSIONS = {"026": "0.26.4", "028": "0.28.2", "314": "314.0.4"}    # by dialect: see tools/pyodide-cases
NODE = "24"             # has the stack switching that run_sync needs


def installed(name, version):
    """The node_modules with an npm package."""
    home = KEPT / f"{name}-{version}"
    if not (home / "node_modules" / name / "package.json").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text("{}")
        ran = subprocess.run(["npm", "install", "--no-audit", "--no-fund", f"{name}@{version}"], cwd=home, text=True, capture_output=True)
        if ran.returncode:
            raise SystemExit(f"npm cannot install {name}@{version}:\n{ran.stderr}")
    return home / "node_modules"


def command(dialect, script):
    """argv that runs a JavaScript module; process.argv[1] is the address of Pyodide's."""
    node = installed("node", NODE) / ".bin/node"
    flags = [] if dialect == "314" else ["--experimental-wasm-jspi"]
    return [str(node), *flags, "--input-type=module", "-e", script, str(installed("pyodide", VERSIONS[dialect]) / "pyodide/pyodide.mjs")]
