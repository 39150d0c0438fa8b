"""_fetch.py - downloads, through the platform's fetch: bounded in bytes and time, a few at once, checked.

An OSError of fetch names the address and what came instead; nothing of an address's password is ever told.
"""
import asyncio
import base64
import hashlib
import os
import re
import urllib.parse

import js
from corral import index, wheels
from corral.wheel import METADATA_MAX
from pyodide.ffi import JsException, to_js

WHEEL_MAX = 256 << 20       # bytes of a wheel
SILENCE_S = 30              # without a byte
PAGE_S, WHEEL_S = 60, 600   # for all of it
AT_ONCE = 6


class FetchError(OSError):
    """Nothing came from an address, or not what was asked for.  status: of the answer, 0 when there was none."""

    def __init__(self, text, status=0):
        super().__init__(text)
        self.status = status


class ChecksumError(RuntimeError, ValueError):
    """What came is not what the index, or the address, says that it is."""


def shown(url):
    """An address as it may be shown: without its password."""
    return re.sub(r"(?<=://)[^/]*@", "***@", url, count=1)


def without_login(url):
    """(address, value of an Authorization header or None)."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return url, None
    login, mark, host = parts.netloc.rpartition("@")
    if not mark:
        return url, None
    return parts._replace(netloc=host).geturl(), "Basic " + base64.b64encode(urllib.parse.unquote(login).encode()).decode()


def check(data, hashes, url):
    """hashes: {algorithm: hexadecimal}; the best known one counts.  Raises ChecksumError."""
    for algorithm in ("sha256", "sha512", "sha384", "sha224", "sha3_256", "blake2b"):
        if expected := hashes.get(algorithm):
            found = hashlib.new(algorithm, data).hexdigest()
            if found != expected:
                raise ChecksumError(f"Invalid checksum: expected {expected}, got {found} ({algorithm} of {shown(url)})")
            return


class Fetcher:
    """Downloads of one installation.  The password of an index's address counts for all that is fetched from that host."""

    def __init__(self, credentials=None):
        self._credentials = credentials
        self._places = asyncio.Semaphore(AT_ONCE)
        self._logins = {}       # (scheme, host) -> Authorization
        self._had = {}          # address -> what came: who looks again asks nobody again

    async def page(self, url):
        """(bytes, content type, address after redirects) of a page of an index.  Raises FetchError."""
        return await self._get(url, index.PAGE_MAX, PAGE_S, index.ACCEPT)

    async def metadata(self, url):
        """Bytes of a wheel's METADATA.  Raises FetchError."""
        return (await self._get(url, METADATA_MAX, PAGE_S))[0]

    async def wheel(self, url, hashes):
        """Bytes of a wheel, checked; by way of the node, which keeps it, when its sha256 is known.  Raises FetchError, ChecksumError."""
        data = (await self._get(url, WHEEL_MAX, WHEEL_S, sha256=hashes.get("sha256")))[0]
        check(data, hashes, url)
        return data

    async def _get(self, url, *how, **more):
        if url not in self._had:
            self._had[url] = await self._ask(url, *how, **more)
        return self._had[url]

    async def _ask(self, url, most, seconds, accept="*/*", sha256=None):
        async with self._places:
            plain, login = without_login(url)
            host = urllib.parse.urlsplit(plain)[:2]
            if login:
                self._logins[host] = login
            headers = {"accept": accept, "user-agent": "micropip (Corral)"}
            if host in self._logins:
                headers["authorization"] = self._logins[host]
            controller = js.AbortController.new()
            try:
                async with asyncio.timeout(seconds):
                    return await self._receive(plain, headers, controller, most, sha256)
            except TimeoutError:
                raise FetchError(f"{shown(url)} does not answer: it was not done after {seconds} s") from None
            finally:
                controller.abort()

    async def _receive(self, url, headers, controller, most, sha256):
        options = {"headers": headers, "signal": controller.signal}
        if self._credentials:
            options["credentials"] = self._credentials
        try:
            options = to_js(options, dict_converter=js.Object.fromEntries)
            response = await self._patiently(wheels.fetch(url, sha256, options) if sha256 else js.fetch(url, options), url)
            if not response.ok:
                raise FetchError(f"{shown(url)} answered {response.status} {response.statusText}".rstrip(), response.status)
            data = await self._body(response, most, url)
            return data, response.headers.get("content-type") or "", response.url or url
        except JsException as e:
            if "Invalid checksum" in _reason(e):
                raise ChecksumError(f"{_reason(e)} ({shown(url)})") from None
            raise FetchError(f"{shown(url)} cannot be fetched: {_reason(e)}") from None

    async def _patiently(self, awaitable, url):
        try:
            async with asyncio.timeout(SILENCE_S):
                return await awaitable
        except TimeoutError:
            raise FetchError(f"{shown(url)} does not answer: nothing came for {SILENCE_S} s") from None

    async def _body(self, response, most, url):
        said = response.headers.get("content-length")
        too_much = FetchError(f"{shown(url)} sent more than {most >> 20} MiB")
        if said and said.isdecimal() and len(said) < 20 and int(said) > most:
            raise too_much
        if response.body is None:
            return b""
        reader, pieces, length = response.body.getReader(), [], 0
        while True:
            piece = await self._patiently(reader.read(), url)
            if piece.done:
                return b"".join(pieces)
            pieces.append(piece.value.to_bytes())
            length += len(pieces[-1])
            if length > most:
                raise too_much


def _reason(e):
    text = getattr(e, "message", "") or str(e)
    cause = getattr(e, "cause", None)
    more = getattr(cause, "message", "") if cause is not None else ""
    return shown(f"{text} ({more})" if more and more not in text else str(text))


def local(path):
    """Bytes of a wheel in the worker's files or in memory.  Raises OSError."""
    if os.path.getsize(path) > WHEEL_MAX:
        raise OSError(f"{path} has more than {WHEEL_MAX >> 20} MiB")
    with open(path, "rb") as f:
        return f.read(WHEEL_MAX)
