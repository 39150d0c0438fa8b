"""Runs cases in whatever Python has `js` and `pyodide.ffi`: a worker of Corral, or Pyodide under Node.

A case is "## name" and the code under it.  What its last expression is, or what it raises, is its outcome.
Beside pyodide.ffi's names it sees js, run_js(code), asyncio, show(value) (the text of a value as JavaScript sees
it) and what(function, *args) (its result, or the words of what it raises).
"""
import ast
import asyncio
import re
import traceback

try:
    import js
    import pyodide.ffi
except ModuleNotFoundError:     # the test itself, which only wants cases_of()
    pass

# A value as JavaScript sees it, in words that are the same in every engine.
SHOW = """((most) => {
  const text = (v, above) => {
    const tag = Object.prototype.toString.call(v).slice(8, -1);
    if (typeof v === 'string') return JSON.stringify(v);
    if (typeof v === 'bigint') return v + 'n';
    if (typeof v === 'number') return Object.is(v, -0) ? '-0' : String(v);
    if (tag === 'PyProxy') return 'PyProxy';
    if (typeof v === 'function') return 'function';
    if (typeof v !== 'object' || v === null) return String(v);
    if (above.includes(v)) return '<up ' + (above.length - above.indexOf(v)) + '>';
    if (above.length === most) return '...';
    const inner = (x) => text(x, [...above, v]);
    const name = v.constructor ? v.constructor.name : 'null';
    const pair = ([k, x]) => inner(k) + ': ' + inner(x);
    if (Array.isArray(v)) return '[' + Array.from(v, inner).join(', ') + ']';
    if (v instanceof Map) return name + '{' + [...v].map(pair).join(', ') + '}';
    if (v instanceof Set) return name + '{' + [...v].map(inner).join(', ') + '}';
    if (v instanceof DataView || v instanceof ArrayBuffer) return name + '(' + v.byteLength + ')';
    if (ArrayBuffer.isView(v)) return name + '[' + Array.from(v, inner).join(', ') + ']';
    if (tag === 'Object') return (name === 'Object' ? '' : name) + '{' + Object.entries(v).map(pair).join(', ') + '}';
    return tag;
  };
  return (v) => text(v, []);
})(12)"""
HEAD = re.compile(r"^## (\w+)(.*)$", re.M)


def cases_of(text):
    """(name, options, code) of each case of a file."""
    parts = HEAD.split(text)
    return [(parts[i], parts[i + 1].strip(), parts[i + 2].strip("\n")) for i in range(1, len(parts), 3)]


def function_of(name, code):
    body = ast.parse(code, name).body
    last = body[-1]
    if isinstance(last, ast.Expr):
        body[-1] = ast.copy_location(ast.Return(last.value), last)
    tree = ast.parse("async def case(): pass")
    tree.body[0].body = body
    scope = {"js": js, "run_js": js.eval, "asyncio": asyncio, "show": js.eval(SHOW), "what": what, "__name__": "case"}
    scope.update((n, getattr(pyodide.ffi, n)) for n in dir(pyodide.ffi) if not n.startswith("_"))
    exec(compile(tree, name, "exec"), scope)
    return scope["case"]


def words_of(error):
    """What an engine of JavaScript says differs; what Python says does not."""
    if isinstance(error, pyodide.ffi.JsException):
        return f"raises JsException {error.name}"
    said = str(error).splitlines()
    return f"raises {type(error).__name__}: {said[0] if said else ''}"


def what(function, *args, **kwargs):
    """What a call comes to, be it an error: several in one case."""
    try:
        return function(*args, **kwargs)
    except Exception as e:
        return words_of(e)


async def outcome_of(name, code):
    try:
        return repr(await asyncio.wait_for(function_of(name, code)(), 5))
    except Exception as e:
        return words_of(e)


async def run(text, only=""):
    """{name: outcome} as JSON can hold it."""
    return {name: await outcome_of(name, code) for name, _, code in cases_of(text) if not only or name == only}


async def explain(text, name):
    """The traceback of a case that raises, for people."""
    code = next(code for n, _, code in cases_of(text) if n == name)
    try:
        return repr(await function_of(name, code)())
    except Exception:
        return traceback.format_exc()
