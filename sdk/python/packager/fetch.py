"""fetch.py - ask a package index (PEP 503, PEP 691) and get its files, over HTTP, with every hash checked.

Whatever an index says or does not say ends in a Failure within a bounded time and of a bounded size.
"""
import base64
import hashlib
import http.client
import os
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from corral import index, pypi

from .report import Failure

WHEEL_MAX = 512 << 20       # bytes of one file
REQUEST_S_MAX = 600         # seconds that one answer may take
TRIES = 3

_PASSING = (408, 425, 429, 500, 502, 503, 504)


def silence_s():
    """Seconds without a byte after which a connection is given up, as pip's variable says."""
    try:
        return max(0.1, float(os.environ.get("PIP_DEFAULT_TIMEOUT") or 15))
    except ValueError:
        return 15.0


def default_url():
    """Of the index that is asked when nobody names one."""
    return next((os.environ[name].strip() for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
                 if os.environ.get(name, "").strip()), pypi.URL)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A login stays with its host; addresses other than http and https are an error already, but for ftp."""

    def redirect_request(self, request, fp, code, msg, headers, newurl):
        to, was = urllib.parse.urlsplit(newurl), urllib.parse.urlsplit(request.full_url)
        found = super().redirect_request(request, fp, code, msg, headers, newurl) if to.scheme in ("http", "https") else None
        if found is not None and (to.scheme, to.netloc) != (was.scheme, was.netloc):
            found.remove_header("Authorization")
        return found


def without_login(url):
    """An address as it may be shown and written down: no user, no password, no fragment."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def get(url):
    """The bytes at an address, which may have a login in it; None: there is nothing. Failure."""
    found = Index(url).get(without_login(url))
    return found and found[0]


def file_of(url):
    """The path that file://... means."""
    return urllib.request.url2pathname(urllib.parse.urlsplit(url).path)


def _why(e):
    """What went wrong with a connection, in words."""
    reason = getattr(e, "reason", e)
    if isinstance(reason, socket.gaierror):
        return f"the name is not known ({reason.strerror})"
    if isinstance(reason, (TimeoutError, socket.timeout)):
        return f"it said nothing for {silence_s():g} seconds"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({reason.verify_message})"
    if isinstance(reason, http.client.IncompleteRead) or isinstance(reason, (ConnectionResetError, http.client.RemoteDisconnected)):
        return "the connection ended too early"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


class Index:
    """An index. shown: its address without a login. Methods are called from many threads."""

    def __init__(self, url):
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError:
            parts = None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure(f"'{url}' is no address to get packages from", f"an index has one such as {pypi.URL}")
        self._login = None
        if parts.username is not None:
            words = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._login = "Basic " + base64.b64encode(words.encode()).decode()
        self._host = parts.netloc.rpartition("@")[2]
        self.shown = without_login(url)
        self._opener = urllib.request.build_opener(_Redirects)
        self._pages, self._lock = {}, threading.Lock()

    # ---- bytes ----

    def _open(self, url, accept):
        request = urllib.request.Request(url, headers={"User-Agent": "corral", "Accept": accept, "Accept-Encoding": "identity"})
        if self._login and urllib.parse.urlsplit(url).netloc == self._host:
            request.add_header("Authorization", self._login)
        return self._opener.open(request, timeout=silence_s())

    def _read(self, url, accept, limit):
        """(bytes, content type, final address)"""
        end = time.monotonic() + REQUEST_S_MAX
        with self._open(url, accept) as answer:
            pieces, size = [], 0
            while piece := answer.read1(1 << 18):
                size += len(piece)
                if size > limit:
                    raise Failure(f"{url} is larger than it may be: more than {limit} bytes", "ask another index: --index-url URL")
                if time.monotonic() > end:
                    raise Failure(f"{url} takes longer than {REQUEST_S_MAX} seconds", "try again, or ask another index: --index-url URL")
                pieces.append(piece)
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
            return b"".join(pieces), answer.headers.get("content-type", ""), answer.url

    def get(self, url, accept="*/*", limit=WHEEL_MAX):
        """(bytes, content type, final address); None: there is no such thing. What may pass is tried again. Failure."""
        for left in reversed(range(TRIES)):
            try:
                return self._read(url, accept, limit)
            except urllib.error.HTTPError as e:
                e.close()
                if e.code in (404, 410):
                    return None
                if left == 0 or e.code not in _PASSING:
                    raise self._refused(url, e.code) from None
            except (OSError, http.client.HTTPException, ValueError, OverflowError) as e:    # of addresses that cannot be
                passes = isinstance(getattr(e, "reason", e), (ConnectionResetError, http.client.HTTPException))
                if left == 0 or not passes:
                    raise Failure(f"{self._name(url)} cannot be reached: {_why(e)}",
                                  "is there a network? --index-url URL asks another index, such as a mirror in your own") from None
            time.sleep(0.1 * (TRIES - left))
        raise AssertionError

    def _name(self, url):
        return f"the package index {self.shown}" if urllib.parse.urlsplit(url).netloc == self._host else url

    def _refused(self, url, code):
        if code in (401, 403, 407):
            return Failure(f"{self._name(url)} wants a login ({code})", "put it into the address: https://USER:PASSWORD@HOST/...")
        if 300 <= code < 400:
            return Failure(f"{self._name(url)} redirects {url} in a circle, or to what is no address of the web",
                           "ask another index: --index-url URL")
        return Failure(f"{self._name(url)} answered {code} for {url}", "try again later, or ask another index: --index-url URL")

    # ---- what an index has ----

    def files(self, project):
        """All files of a project, [index.File]; none: the index does not know it. Failure."""
        with self._lock:
            known = self._pages.get(project)
        if known is not None:
            return known
        found = self.get(index.project_url(self.shown, project), index.ACCEPT, index.PAGE_MAX)
        try:
            files = index.parse(found[0], found[1], found[2], project) if found else []
        except index.PageError as e:
            raise Failure(f"the package index {self.shown} has for {project} {e}",
                          "is that the address of an index? It ends in /simple/ mostly") from None
        with self._lock:
            self._pages[project] = files
        return files

    def download(self, file):
        """The bytes of an index.File, which are those that the index means. Failure."""
        limit = min(WHEEL_MAX, file.size) if file.size is not None else WHEEL_MAX
        found = self.get(file.url, limit=limit)
        if found is None:
            raise Failure(f"the package index {self.shown} lists {file.name} and does not have it (404 for {file.url})",
                          "try again later, or ask another index: --index-url URL")
        check(file.name, found[0], file.hashes, file.url)
        return found[0]

    def metadata(self, file):
        """METADATA of a wheel as PEP 658 has it, or None: it has to be looked for in the wheel."""
        if not file.metadata:
            return None
        found = self.get(file.url + ".metadata", limit=4 << 20)
        if found is not None and isinstance(file.metadata, dict):
            check(file.name + ".metadata", found[0], file.metadata, file.url)
        return found and found[0]


def check(name, data, hashes, url):
    """Whether bytes have the hashes that were said. Failure."""
    for kind, said in hashes.items():
        if re.fullmatch("sha(256|384|512)", kind) and hashlib.new(kind, data).hexdigest() != said.lower():
            raise Failure(f"{name} is not what it should be: its {kind} is {hashlib.new(kind, data).hexdigest()}, and {said} was expected",
                          f"{url} sends something else than was locked or listed; nothing of it was installed")
