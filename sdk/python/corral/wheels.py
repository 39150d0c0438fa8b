"""wheels.py - downloads whose hash is known come by way of the node, which keeps them for other instances.

The node takes what it keeps, or asks the server as fetch does, and checks what comes: wrong bytes are an error at
their end.  Here they are checked once more.  src/service/wheels.h says what it keeps, and for how long.
"""
import hashlib
import re

import _corral
from pyodide.ffi import JsException, to_js

BYTES_MAX = 512 << 20       # of one download, as WHEELS_ONE_MAX
_HASH = re.compile("[0-9a-fA-F]{64}")


class WrongHash(ValueError):
    """What came is not what was asked for."""


def fetch(url, sha256, options=None):
    """As js.fetch(url, options): a promise of a Response, whose body fails at its end when it has another hash.

    sha256: 64 hexadecimal digits.  ValueError: it is none.
    """
    if not isinstance(sha256, str) or not _HASH.fullmatch(sha256):
        raise ValueError(f"a SHA-256 hash has 64 hexadecimal digits, not {sha256!r}")
    return _corral.internal("fetchWheel")(url, sha256.lower(), options)


async def _read(response, url, bytes_max):
    too_long = f"{url} is longer than {bytes_max} bytes"
    said = response.headers.get("content-length")
    if said and said.isdecimal() and len(said) < 20 and int(said) > bytes_max:
        raise OSError(too_long)
    if response.body is None:
        return b""
    reader, data = response.body.getReader(), bytearray()
    while not (piece := await reader.read()).done:
        if len(data) + piece.value.byteLength > bytes_max:
            await reader.cancel()
            raise OSError(too_long)
        data += piece.value.to_bytes()
    return bytes(data)


async def get(url, sha256=None, *, bytes_max=BYTES_MAX, headers=None):
    """The bytes at this address; with sha256 (64 hexadecimal digits) those and no others.

    Redirects are followed, as by fetch.  OSError: no answer, another status than 200, or more than bytes_max;
    WrongHash: other bytes.  Without sha256 nothing is kept, and nothing checked.
    """
    import js
    options = {"headers": {"accept": "*/*", **(headers or {})}}
    options = to_js(options, dict_converter=js.Object.fromEntries)
    try:
        response = await (js.fetch(url, options) if sha256 is None else fetch(url, sha256, options))
        if response.status != 200:
            if response.body is not None:
                await response.body.cancel()
            raise OSError(f"{url} answered {response.status} {response.statusText}".rstrip())
        data = await _read(response, url, bytes_max)
    except JsException as e:
        text = e.message
        if "Invalid checksum" in text:
            raise WrongHash(f"{text} ({url})") from None
        raise OSError(f"{url} cannot be fetched: {text}") from None
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise WrongHash(f"Invalid checksum: expected sha256 {sha256.lower()}, got {hashlib.sha256(data).hexdigest()} ({url})")
    return data
