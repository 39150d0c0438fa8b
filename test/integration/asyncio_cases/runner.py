"""Runs cases of asyncio in whatever loop runs: a worker's, or the one of asyncio.run().

A case is "## name" and the code under it.  What its last expression is, or what it raises, is its outcome.
"""
import ast
import asyncio
import contextvars
import re
import sys

HEAD = re.compile(r"^## (\w+)$", re.M)
SECONDS = 20


def cases_of(text):
    """(name, code) of each case."""
    parts = HEAD.split(text)
    return list(zip(parts[1::2], parts[2::2]))


def function_of(name, code):
    body = ast.parse(code, name).body
    if isinstance(body[-1], ast.Expr):
        body[-1] = ast.copy_location(ast.Return(body[-1].value), body[-1])
    tree = ast.parse("async def case(): pass")
    tree.body[0].body = body
    scope = {"asyncio": asyncio, "contextvars": contextvars, "sys": sys, "loop": asyncio.get_running_loop(), "__name__": "case"}
    exec(compile(tree, name, "exec"), scope)
    return scope["case"]


async def outcome_of(name, code):
    try:
        return repr(await asyncio.wait_for(function_of(name, code)(), SECONDS))
    except BaseException as e:
        return f"raises {type(e).__name__}: {e}"


async def run(text):
    """{name: outcome}"""
    return {name: await outcome_of(name, code) for name, code in cases_of(text)}
