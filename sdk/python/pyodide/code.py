"""pyodide.code - Python and JavaScript that come as text, and calls that drop surplus arguments."""
import ast
import builtins
import inspect
import io
import linecache
import textwrap
import tokenize
from collections import abc
from functools import lru_cache, wraps
from types import CodeType
from typing import Any, Literal

import pyodide

ReturnMode = Literal["last_expr", "last_expr_or_assign", "none"]
_INVISIBLE = (tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT)


class _Result(Exception):
    """Carries the value of the last expression out of the code, which cannot `return` one."""

    def __init__(self, value):
        self.value = value


# The code finds it among the builtins, as it may have any globals; in a list, as exceptions that are builtins are looked at by tests.
_RESULT = "___corral_result"
setattr(builtins, _RESULT, [_Result])


def should_quiet(source: str, /) -> bool:
    """Whether the last thing in Python source is a semicolon, comments aside: its value is not wanted then.

    Raises what `tokenize` raises for text that is no Python: tokenize.TokenError or SyntaxError.
    """
    last = None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _INVISIBLE:
            last = token
    return last is not None and last.type == tokenize.OP and last.string == ";"


def _name_assigned(statement):
    """The name whose new value counts as the result of a last assignment, or None."""
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _return_last(module, is_assignment_too):
    """Have the code raise the value of its last statement as a _Result."""
    if not module.body:
        return
    name = _name_assigned(module.body[-1]) if is_assignment_too else None
    if name is not None:
        module.body.append(ast.Expr(ast.Name(name, ast.Load())))
    last = module.body[-1]
    if isinstance(last, ast.Expr):
        kind = ast.Subscript(ast.Name(_RESULT, ast.Load()), ast.Constant(0), ast.Load())
        module.body[-1] = ast.copy_location(ast.Raise(ast.Call(kind, [last.value], [])), last)


class CodeRunner:
    """Source code in steps: parse (`ast`), compile (`code`), run; between them both can be changed.

    Raises SyntaxError when the source cannot be parsed.  The keywords are those of eval_code(), and
    `mode` is that of the builtin compile(): "exec", "single" or "eval".
    """

    ast: ast.AST
    code: CodeType | None

    def __init__(self, source: str, *, return_mode: ReturnMode = "last_expr", mode: str = "exec",
                 quiet_trailing_semicolon: bool = True, filename: str = "<exec>", flags: int = 0,
                 dont_inherit: bool = False, optimize: int = -1):
        self._compiled = False
        self._source = textwrap.dedent(source)
        self._return_mode, self._is_quiet_possible = return_mode, quiet_trailing_semicolon
        self._mode, self._filename, self._flags = mode, filename, flags
        self._dont_inherit, self._optimize = dont_inherit, optimize
        self.ast = compile(self._source, filename, mode, flags | ast.PyCF_ONLY_AST, True)

    def compile(self) -> "CodeRunner":
        """Make `code` of `ast`; once.  Returns self."""
        if self._compiled:
            raise RuntimeError("Already compiled")
        self._compiled = True
        is_wanted = self._return_mode.startswith("last_expr") and not (self._is_quiet_possible and should_quiet(self._source))
        self._is_value = self._mode == "eval" and is_wanted
        if self._mode != "eval" and is_wanted:
            _return_last(self.ast, self._return_mode == "last_expr_or_assign")
        ast.fix_missing_locations(self.ast)
        # Nothing is to be inherited from this module: it has no __future__ imports.
        self.code = compile(self.ast, self._filename, self._mode, self._flags, self._dont_inherit, self._optimize)
        return self

    def _start(self, globals, locals):
        """(value, coroutine): one of them is None."""
        if not self._compiled:
            raise RuntimeError("Not yet compiled")
        if self.code is None:
            return None, None
        file = self.code.co_filename
        if not (file.startswith("<") and file.endswith(">")):
            linecache.cache[file] = (lambda: self._source,)     # for tracebacks, which show the line
        globals = {} if globals is None else globals
        try:
            value = eval(self.code, globals, globals if locals is None else locals)
        except _Result as result:
            return result.value, None
        if self.code.co_flags & inspect.CO_COROUTINE:
            return None, value
        return value if self._is_value else None, None

    def run(self, globals: dict[str, Any] | None = None, locals: dict[str, Any] | None = None) -> Any:
        """Run the compiled code, which must not use `await` at its top level; see eval_code().

        Raises RuntimeError when it is not compiled, or waits; and whatever the code raises.
        """
        value, coroutine = self._start(globals, locals)
        if coroutine is not None:
            coroutine.close()
            raise RuntimeError("Used eval_code with TOP_LEVEL_AWAIT. Use run_async for this instead.")
        return value

    async def run_async(self, globals: dict[str, Any] | None = None, locals: dict[str, Any] | None = None) -> Any:
        """Run the compiled code, and wait for its end if it uses `await` at its top level."""
        value, coroutine = self._start(globals, locals)
        if coroutine is None:
            return value
        try:
            value = await coroutine
        except _Result as result:
            return result.value
        return value if self._is_value else None


def eval_code(source: str, globals: dict[str, Any] | None = None, locals: dict[str, Any] | None = None, *,
              return_mode: ReturnMode = "last_expr", quiet_trailing_semicolon: bool = True, filename: str = "<exec>",
              flags: int = 0, dont_inherit: bool = False, optimize: int = -1) -> Any:
    """Run Python source, which may be indented; the value of its last expression.

    globals, locals: as for exec(); without them the code gets new globals.
    return_mode: "last_expr"; "last_expr_or_assign", where a last assignment to a name counts; "none".
    quiet_trailing_semicolon: None when the source ends in a semicolon.
    filename, flags, dont_inherit, optimize: as for compile(); tracebacks show lines of a file that has a name.
    Raises SyntaxError, and whatever the code raises.
    """
    return CodeRunner(
        source, return_mode=return_mode, quiet_trailing_semicolon=quiet_trailing_semicolon, filename=filename, flags=flags,
        dont_inherit=dont_inherit, optimize=optimize).compile().run(globals, locals)


async def eval_code_async(source: str, globals: dict[str, Any] | None = None, locals: dict[str, Any] | None = None, *,
                          return_mode: ReturnMode = "last_expr", quiet_trailing_semicolon: bool = True, filename: str = "<exec>",
                          flags: int = 0, dont_inherit: bool = False, optimize: int = -1) -> Any:
    """Run Python source that may use `await` at its top level; see eval_code().

    Flags of your own replace the one that allows it: add ast.PyCF_ALLOW_TOP_LEVEL_AWAIT to them.
    """
    return await CodeRunner(
        source, return_mode=return_mode, quiet_trailing_semicolon=quiet_trailing_semicolon, filename=filename,
        flags=flags or ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=dont_inherit,
        optimize=optimize).compile().run_async(globals, locals)


def find_imports(source: str) -> list[str]:
    """The names of the modules that Python source imports, sorted; none of source that cannot be parsed.

    Of `import a.b` it is "a" and "a.b", and for compatibility dates before 2025-09-29 "a" alone.  Relative
    imports (`from .a import b`) count with the name that follows the dots.
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return []
    found = set()
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
            [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        for name in names:
            parts = name.split(".")
            found.update(".".join(parts[:n]) for n in range(1, len(parts) + 1))
    if pyodide.__version__.startswith("0.26"):
        found = {name.partition(".")[0] for name in found}
    return sorted(found)


def run_js(code: str, /) -> Any:
    """Run JavaScript source in the global scope; what it comes to.

    Raises TypeError when `code` is no str, and JsException for what JavaScript throws.
    """
    import js
    if not isinstance(code, str):
        raise TypeError(f"argument should have type 'string' not type '{type(code).__name__}'")
    return js.eval(code)


def _relaxed_signature(func):
    """The signature of `func` with room for any arguments beside, or None if it has none."""
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):
        return None
    parameters = list(signature.parameters.values())
    kinds = [p.kind for p in parameters]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        at = sum(kind < inspect.Parameter.VAR_POSITIONAL for kind in kinds)
        parameters.insert(at, inspect.Parameter("__var_positional", inspect.Parameter.VAR_POSITIONAL))
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        parameters.append(inspect.Parameter("__var_keyword", inspect.Parameter.VAR_KEYWORD))
    return signature.replace(parameters=parameters)


_known_signature = lru_cache(_relaxed_signature)


def _call(func, signature, args, kwargs):
    bound = signature.bind(*args, **kwargs)
    bound.arguments.pop("__var_positional", None)
    bound.arguments.pop("__var_keyword", None)
    return func(*bound.args, **bound.kwargs)


def relaxed_wrap(func: abc.Callable[..., Any]) -> abc.Callable[..., Any]:
    """A decorator: the function ignores positional and keyword arguments that it has no parameter for.

    Raises TypeError for what has no signature, as `dict`.
    """
    signature = _relaxed_signature(func)
    if signature is None:
        raise TypeError("Cannot wrap function")

    @wraps(func)
    def wrapper(*args, **kwargs):
        return _call(func, signature, args, kwargs)

    return wrapper


def relaxed_call(func: abc.Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function without the arguments that it has no parameter for; raises TypeError for missing ones."""
    signature = _known_signature(func)
    return func(*args, **kwargs) if signature is None else _call(func, signature, args, kwargs)


__all__ = [
    "CodeRunner", "eval_code", "eval_code_async", "find_imports", "relaxed_call", "relaxed_wrap", "run_js", "should_quiet",
]
