"""pyproxy.py - what sdk/js/pyproxy.js asks of Python objects that is rare, or long in C."""
import functools

import _corral

array = _corral.js_array
MANY = 1 << 30


def call_relaxed(function, arguments, named):
    """Without the arguments that the function has no parameter for."""
    from pyodide.code import relaxed_call
    return relaxed_call(function, *arguments, **named)


def to_js(obj, depth, pyproxies, create_pyproxies, dict_converter, default_converter, eager_converter):
    """PyProxy.toJs()."""
    return _corral.to_js(obj, depth=depth, pyproxies=pyproxies, create_pyproxies=create_pyproxies, dict_converter=dict_converter,
                         default_converter=default_converter, eager_converter=eager_converter)


# ---- sequences as arrays ----


def reverse(sequence):
    sequence.reverse()


def sort(sequence, compare):
    """By a comparing function, as JavaScript has it."""
    key = functools.cmp_to_key(compare)
    if hasattr(sequence, "sort"):
        sequence.sort(key=key)
    else:
        sequence[:] = type(sequence)(sorted(sequence, key=key))


def splice(sequence, start, count, items, given):
    """Replace `count` items by others; the array of those that were there.  `given`: how many arguments there were."""
    size = len(sequence)
    start = _whole(start)
    start = max(size + start, 0) if start < 0 else min(start, size)
    if given == 0:
        count = 0
    elif given == 1:
        count = size
    else:
        count = max(_whole(count), 0)
    stop = min(start + count, size)
    removed = array(sequence[start:stop])
    sequence[start:stop] = list(items)
    return removed


def _whole(number):
    """JavaScript's idea of an integer: 0 for what is none."""
    return int(number) if isinstance(number, (int, float)) and number == number and abs(number) < MANY else MANY if number == float("inf") else 0


def push(sequence, items):
    for item in items:
        sequence.append(item)
    return len(sequence)


def unshift(sequence, items):
    for index, item in enumerate(items):
        sequence.insert(index, item)
    return len(sequence)


def pop(sequence, index):
    return sequence.pop(index) if len(sequence) else None


# ---- generators: [done, value] ----


def throw(generator, error):
    try:
        return array((False, generator.throw(error)))
    except StopIteration as stop:
        return array((True, stop.value))


def close(generator, value):
    """JavaScript's return(): GeneratorExit, to which it may still say something."""
    try:
        return array((False, generator.throw(GeneratorExit)))
    except StopIteration as stop:
        return array((True, stop.value))
    except GeneratorExit:
        return array((True, value))


async def asend(iterator, value):
    try:
        return array((False, await (anext(iterator) if value is None or not hasattr(iterator, "asend") else iterator.asend(value))))
    except StopAsyncIteration:
        return array((True, None))


async def athrow(generator, error):
    try:
        return array((False, await generator.athrow(error)))
    except (StopAsyncIteration, GeneratorExit):
        return array((True, None))


async def aclose(generator, value):
    try:
        return array((False, await generator.athrow(GeneratorExit)))
    except StopAsyncIteration:
        return array((True, None))
    except GeneratorExit:
        return array((True, value))
