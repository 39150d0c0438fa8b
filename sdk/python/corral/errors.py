"""errors.py - tracebacks and results worded for the worker's author.

Frames of the SDK and of the import machinery are left out, files of the bundle
are shown relative to it.  Sources are kept in memory (remember_sources), as an
instance may not be able to open files.
"""
import linecache
import sys
import traceback

from . import hints

_folder = ""


def set_folder(folder):
    global _folder
    _folder = folder.rstrip("/") + "/"


def is_of_bundle(path):
    return bool(_folder) and path.startswith(_folder)


def shown_path(path):
    return path[len(_folder):] if _folder and path.startswith(_folder) else path


def shorten_paths(text):
    """A traceback that somebody else has formatted, with the files of the bundle as the project names them."""
    return text.replace(f'File "{_folder}', 'File "') if _folder else text


def is_ours(file):
    return file.startswith("<corral>/") or file.startswith("<frozen importlib") or file == "<frozen runpy>"


def _clean(te, seen):
    if te is None or id(te) in seen:
        return
    seen.add(id(te))
    kept = []
    for frame in te.stack:
        if is_ours(frame.filename):
            continue
        frame.line      # read by the real name, before it changes
        frame.filename = shown_path(frame.filename)
        kept.append(frame)
    te.stack[:] = kept
    if getattr(te, "filename", None):
        te.filename = shown_path(te.filename)
    _clean(te.__cause__, seen)
    _clean(te.__context__, seen)
    for inner in getattr(te, "exceptions", None) or ():
        _clean(inner, seen)


FRAMES_LONG, FRAMES_SHOWN = 100, 40     # of a traceback longer than that the innermost are shown


def _innermost(tb, most):
    """(the traceback's last frames, how many were before them)"""
    count, at = 0, tb
    while at is not None:
        count, at = count + 1, at.tb_next
    skipped = count - most if count > FRAMES_LONG else 0
    for _ in range(skipped):
        tb = tb.tb_next
    return tb, skipped


def _text_of(exception, tb, is_hinted):
    te = traceback.TracebackException(type(exception), exception, tb, limit=-FRAMES_LONG)
    _clean(te, set())
    text = "".join(te.format()).rstrip("\n")
    if not te.stack and not text.startswith("Traceback"):
        text = "Traceback (most recent call last):\n" + text
    hint = hints.for_exception(exception) if is_hinted else ""
    return f"{text}\n({hint})" if hint else text


def format_exception(exception, is_hinted=True):
    """The whole traceback, ending without a newline; it always begins with the word Traceback."""
    tb, skipped = _innermost(exception.__traceback__, FRAMES_SHOWN)
    if not skipped:
        return _text_of(exception, tb, is_hinted)
    # A deep recursion between the languages asks at every crossing, and its innermost frames stay the same.
    kept = vars(exception).get("__innermost_text__")
    if kept is None:
        kept = vars(exception)["__innermost_text__"] = _text_of(exception, tb, is_hinted)
    before, head, after = kept.rpartition("Traceback (most recent call last):\n")
    return f"{before}{head}  [{skipped} outer frames are left out]\n{after}"


def where(exception):
    """(file, line) of the innermost frame inside the bundle, or ('', 0)."""
    found = ("", 0)
    tb = exception.__traceback__
    while tb is not None:
        file = tb.tb_frame.f_code.co_filename
        if is_of_bundle(file):
            found = (shown_path(file), tb.tb_lineno)
        tb = tb.tb_next
    return found


def remember_sources():
    """Keep the text of every module of the bundle, for the tracebacks of instances."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(file, str) or not _folder or not file.startswith(_folder) or not file.endswith(".py"):
            continue
        lines = linecache.getlines(file)
        if lines:
            # Without a time of change linecache believes the entry for ever.
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


handler = "on_fetch"        # what the worker's author calls it


def _is_data(proxy):
    from workers._values import kind_of
    return kind_of(proxy) in ("Array", "object")


def _of_a_library(result, made):
    """An application, or an answer of a framework or of a client, in place of a Response."""
    modules = {c.__module__.partition(".")[0] for c in type(result).__mro__}
    env = "env" if handler == "on_fetch" else "self.env"
    if hasattr(result, "wsgi_app"):
        return f"Return await wsgi.fetch(app, request, {env}), with `from workers import wsgi`"
    if callable(result) and modules & {"fastapi", "starlette"}:
        what = "app" if hasattr(result, "router") else "answer"     # answers of Starlette are applications themselves
        return f"Return await asgi.fetch({what}, request, {env}), with `import asgi`"
    if modules & {"httpx", "requests"}:
        return f"Return {made}(answer.content, status=answer.status_code)"
    return f"Return Response.json(data.{'model_dump' if hasattr(result, 'model_dump') else 'dict'}())" if "pydantic" in modules else ""


def describe_result(result):
    """What to say of a handler's result that is no Response."""
    made = "Response.new" if handler == "on_fetch" else "Response"      # classes use the one of `workers`
    if result is None:
        return (f"{handler} returned None, not a Response. "
                f'Is a `return` missing? Return {made}("hello")')
    kind = type(result).__name__
    shown = repr(result)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    hint = f'Return {made}("hello")'
    if isinstance(result, str):
        hint = f"Return {made}({shown})" if len(shown) <= 40 else f"Return {made}(text)"
    elif isinstance(result, (dict, list)):
        hint = "Return Response.json(data), with `from workers import Response`"
    elif type(result).__name__ == "JsProxy" and _is_data(result):
        hint = "Return Response.json(data)"
    elif isinstance(result, (bytes, bytearray, memoryview)):
        hint = f"Return {made}(data)"
    else:
        hint = _of_a_library(result, made) or hint
    return f"{handler} returned {article} {kind} ({shown}), not a Response. {hint}"


