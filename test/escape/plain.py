"""Try in a plain process of this machine, which no box holds: what fails here, too, the machine itself refuses.

plain.py < '{"names": [...], "facts": {...}}' prints the outcomes."""
import json
import sys
import types
from pathlib import Path

TENANT = Path(__file__).resolve().parent / "tenant"


def table():
    """All attempts, by name."""
    for name in ("js", "pyodide", "pyodide.code"):     # which only workers have
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["pyodide.code"].run_js = None
    sys.path.insert(0, str(TENANT))
    try:
        import attempt
        for path in sorted(TENANT.glob("*.py")):
            if path.stem not in ("attempt", "entry", "kernel", "bombs"):
                __import__(path.stem)
    finally:
        sys.path.remove(str(TENANT))
    return attempt.TABLE


if __name__ == "__main__":
    table()
    import attempt
    told = json.load(sys.stdin)
    print(json.dumps([attempt.run(name, told["facts"]) for name in told["names"]]))
