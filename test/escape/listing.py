"""Write README.md, the list of all attempts: test/escape/listing.py"""
from pathlib import Path

from plain import table

HERE = Path(__file__).resolve().parent
HEAD = """\
# The escape suite

What a hostile worker tries, by room. Each of the attempts is made by requests and by top-level code, in every tier that this machine can
produce ([tiers.py](tiers.py)), as root and as an ordinary user:

    /usr/bin/python3 -m pytest -q test/escape                  # wants MODE=rel; or: script/test escape
    /usr/bin/python3 -m pytest test/escape -k user-etc_shadow

**Stopped by** names layers of the box ([docs/security.md](../../docs/security.md)); any one of them stops it. `always`: so are processes started in every tier
(descriptors, limits, rights, environment). `node`: the node refuses. `engine`: JavaScriptCore.

**Proof** says how it is known that the attempt is one: *anybody* or *root* succeeds with it when the box is left out (`CORRAL_TEST_BOX=none`, `--allow-fetch '*'`);
*own*: in the box, the same way succeeds at what is the worker's own; else why it is not shown. Where a plain process of the machine is refused, too, the proof is
skipped by name.

[listing.py](listing.py) writes this page; a test sees that it is up to date.
"""


def listing():
    import attempt
    import sys
    out, total = [HEAD], 0
    for room in sorted({one.room for one in attempt.TABLE.values()}):
        mine = [one for one in attempt.TABLE.values() if one.room == room]
        total += len(mine)
        out += ["\n## %s\n" % room, "\n%s\n" % sys.modules[room].__doc__.split("\n\n")[0].replace("\n", " "),
                "\n| attempt | what it tries | stopped by | proof |\n| --- | --- | --- | --- |\n"]
        for one in mine:
            proof = one.because if one.proof == attempt.NOT else one.proof
            out.append("| `%s` | %s | %s | %s |\n" % (one.name, one.title.replace("|", "\\|"), ", ".join(one.layers), proof))
    return "".join(out) + "\n%d attempts.\n" % total


if __name__ == "__main__":
    table()
    (HERE / "README.md").write_text(listing())
