"""make_cases.py - the tables *.cases as one module: a line is an expression, `import` and `let` lines are for all of its file.

    make_cases.py OUT.mjs          the module, `export const groups`
    make_cases.py --expect         run them under Node.js and write expected.json
"""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def module(path):
    """The text of a module that exports the cases of a table."""
    head, cases = [], []
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(("import ", "let ")):
            head.append(line)
        else:
            cases.append(f"  [{json.dumps(line)}, async () => ({line})],")
    return "\n".join([*head, "export default [", *cases, "];", ""])


def names():
    """What the modules of Node.js export: {module: names}."""
    lines = [line for line in (HERE / "names.txt").read_text().splitlines() if not line.startswith("#")]
    return {name: exported.split() for name, _, exported in (line.partition(": ") for line in lines)}


def files():
    """{name: text} of the modules and of cases.mjs, which exports `groups` and `run`."""
    names = sorted(path.stem for path in HERE.glob("*.cases"))
    made = {f"{name}.mjs": module(HERE / f"{name}.cases") for name in names}
    made["show.mjs"] = (HERE / "show.js").read_text()
    lines = [f'import cases_{name} from "./{name}.mjs";' for name in names]
    lines += ['export { run } from "./show.mjs";', f"export const groups = {{ {', '.join(f'{name}: cases_{name}' for name in names)} }};"]
    return {**made, "cases.mjs": "\n".join(lines) + "\n"}


def write(folder):
    """The modules into a folder."""
    for name, text in files().items():
        (pathlib.Path(folder) / name).write_text(text)


def expected():
    """What Node.js says: a process for each table, as what one imports changes what others show."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        for name in sorted(path.stem for path in HERE.glob("*.cases")):
            main = pathlib.Path(folder) / f"main_{name}.mjs"
            main.write_text(f'import cases from "./{name}.mjs"; import {{ run }} from "./show.mjs"; console.log(JSON.stringify(await run({{ {name}: cases }})));')
            results |= json.loads(subprocess.run(["node", "--no-warnings", main], stdout=subprocess.PIPE, check=True).stdout)
    return results


if __name__ == "__main__":
    if sys.argv[1] == "--expect":
        (HERE / "expected.json").write_text(json.dumps(expected(), indent=0, ensure_ascii=True) + "\n")
    else:
        write(sys.argv[1])
