"""A package index on loopback (PEP 503 and PEP 691, Warehouse's old JSON), and the wheels and sdists that it serves.

    with PackageIndex() as index:
        index.add(wheel("foo", "1.0", {"foo.py": "x = 1"}, requires=["bar>=2"]))
        index.faults["foo"] = "slow"            # by project or by file name: see FAULTS
        ... index.url ..., index.requests ...
"""
import base64
import hashlib
import html
import http.server
import io
import json
import re
import tarfile
import threading
import zipfile
from urllib.parse import quote, unquote, urlsplit

# What a page or a file does instead of being served; the key in `faults` is a project's name or a file's.
FAULTS = {
    "missing": "404",
    "error": "500",
    "login": "401, with a challenge",
    "busy": "503 with Retry-After: 0 the first two times, then as it should be",
    "slow": "nothing is said until release() is called",
    "held": "likewise, and then what there is",
    "stall": "half of it, and nothing more until release() is called",
    "cut": "half of it, and the connection ends",
    "endless": "a body that goes on until the client goes (or release())",
    "garbage": "200 with bytes that are neither a page nor a wheel",
    "wrong-hash": "other bytes than those whose hash the index gives",
    "wrong-size": "the index gives a size that is not the file's",
    "no-hash": "the index gives no hash of it",
    "redirect": "302 to the right thing elsewhere on this server",
    "redirect-loop": "302 to itself, for ever",
    "redirect-file": "302 to file:///etc/passwd",
    "lies": "JSON's content type for a page of HTML",
    "hang-up": "the connection ends without a word",
}
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"


def normalize(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(name, version, requires=(), extras=None, requires_python=None, fields=()):
    """The text of METADATA. extras: {extra: [requirements]}."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {one}" for one in requires]
    for extra, needs in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for one in needs:
            need, _, marker = one.partition(";")
            condition = f"({marker.strip()}) and " if marker else ""
            lines.append(f"Requires-Dist: {need.strip()}; {condition}extra == '{extra}'")
    return "\n".join([*lines, *fields, "", ""])


def _bytes(content):
    return content.encode() if isinstance(content, str) else content


def _record(files, dist_info):
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}")
    return "\n".join([*rows, f"{dist_info}/RECORD,,", ""])


class Wheel:
    """A file of an index. name, version: of the distribution. filename, data: the file. metadata: PEP 658's, or None.
    hashes: what the index says; requires_python, yanked: likewise."""

    def __init__(self, name, version, filename, data, metadata_text=None, requires_python=None):
        self.name, self.version, self.filename, self.data = name, version, filename, data
        self.metadata = _bytes(metadata_text) if metadata_text is not None else None
        self.requires_python = requires_python
        self.yanked = False         # or the reason
        self.upload_time = "2024-01-01T00:00:00.000000Z"

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


def wheel(name, version, files=None, requires=(), extras=None, tag="py3-none-any", requires_python=None, entry_points=None,
          record=True, extra_members=(), top_level=None, build=None, fields=(), wheel_fields=()):
    """A wheel, made here. files: {path: text or bytes}, NAME.py with a __version__ when left out.
    extra_members: (path or ZipInfo, bytes), put in as they are and in no RECORD, for the hostile. record: False: none; text: that."""
    stem = re.sub(r"[-_.]+", "_", name)
    dist_info = f"{stem}-{version}.dist-info"
    if files is None:
        files = {f"{stem.lower()}.py": f"__version__ = {version!r}\n"}
    text = metadata(name, version, requires, extras, requires_python, fields)
    pure = "true" if tag.endswith("-none-any") else "false"
    members = {path: _bytes(content) for path, content in files.items()}
    members[f"{dist_info}/METADATA"] = text.encode()
    tags = [f"Tag: {one}" for one in tag.split(" ")]
    members[f"{dist_info}/WHEEL"] = "\n".join(
        ["Wheel-Version: 1.0", "Generator: test", f"Root-Is-Purelib: {pure}", *tags, *wheel_fields, ""]).encode()
    if top_level is not None:
        members[f"{dist_info}/top_level.txt"] = "\n".join([*top_level, ""]).encode()
    if entry_points is not None:
        members[f"{dist_info}/entry_points.txt"] = _bytes(entry_points)
    if record:
        members[f"{dist_info}/RECORD"] = _bytes(record if isinstance(record, str) else _record(members, dist_info))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))         # the same bytes each time
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, content)
        for path, content in extra_members:
            archive.writestr(path, _bytes(content))
    middle = f"-{build}" if build else ""
    return Wheel(name, version, f"{stem}-{version}{middle}-{tag.replace(' ', '.')}.whl", data.getvalue(), text, requires_python)


def sdist(name, version, files=None):
    """A source distribution with a setup.py, which nobody should run: it says so by failing."""
    stem = f"{name}-{version}"
    members = {"PKG-INFO": metadata(name, version), "setup.py": "raise SystemExit('setup.py was run')\n", **(files or {})}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(f"{stem}/{path}")
            info.size = len(_bytes(content))
            archive.addfile(info, io.BytesIO(_bytes(content)))
    return Wheel(name, version, f"{stem}.tar.gz", data.getvalue())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True      # head and body are written one after the other: else 40 ms each

    def log_message(self, *_):
        pass

    @property
    def index(self):
        return self.server.index

    def do_GET(self):
        where = urlsplit(self.path)
        with self.index.lock:
            self.index.requests.append((self.command, self.path, dict(self.headers.items())))
        parts = [unquote(part) for part in where.path.split("/") if part]
        if self.index.login and self.headers.get("authorization") != self.index.authorization:
            return self._say(401, b"who are you?", "text/plain", [("WWW-Authenticate", 'Basic realm="index"')])
        if parts[:1] == ["moved"]:
            return self._serve(parts[1:], None)
        name = parts[-1] if parts else ""
        if parts[:1] == ["pypi"] and len(parts) > 1:
            name = parts[1]
        if name.endswith(".metadata"):
            name = name[:-len(".metadata")]
        with self.index.lock:
            fault = self.index.faults.get(name)
        return self._serve(parts, fault)

    do_HEAD = do_GET

    def _serve(self, parts, fault):
        body, kind, headers = self._content(parts)
        if fault in ("wrong-size", "no-hash", "wrong-hash") and parts[:1] != ["files"]:
            fault = None            # faults of what the page says, or of the file alone
        if fault is not None and hasattr(self, "_" + fault.replace("-", "_")):
            return getattr(self, "_" + fault.replace("-", "_"))(body, kind)
        if body is None:
            return self._say(404, b"404 Not Found", "text/plain")
        return self._say(200, body, kind, headers)

    def _content(self, parts):
        """(body or None, content type, headers) of a path."""
        index = self.index
        if parts[:1] == ["files"] and len(parts) == 2:
            is_metadata = parts[1].endswith(".metadata")
            found = index.files.get(parts[1][:-len(".metadata")] if is_metadata else parts[1])
            if found is None or (is_metadata and (found.metadata is None or not index.metadata)):
                return None, "", ()
            return (found.metadata if is_metadata else found.data), "application/octet-stream", ()
        if parts[:1] == ["pypi"] and parts[-1] == "json" and len(parts) in (3, 4):
            return index.warehouse(parts[1], parts[2] if len(parts) == 4 else None), "application/json", ()
        if parts[:1] != ["simple"] or len(parts) > 2:
            return None, "", ()
        as_json = JSON_TYPE in self.headers.get("accept", "") and "json" in index.formats
        kind = JSON_TYPE if as_json else HTML_TYPE if HTML_TYPE in self.headers.get("accept", "") else "text/html"
        return index.page(parts[1] if len(parts) == 2 else None, as_json), kind, [("Vary", "Accept")]

    def _say(self, status, body, kind, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # -- faults, by name --

    def _missing(self, body, kind):
        self._say(404, b"404 Not Found", "text/plain")

    def _error(self, body, kind):
        self._say(500, b"the index has a bad day", "text/plain")

    def _login(self, body, kind):
        self._say(401, b"who are you?", "text/plain", [("WWW-Authenticate", 'Basic realm="index"')])

    def _busy(self, body, kind):
        with self.index.lock:
            self.index.busy[self.path] = self.index.busy.get(self.path, 0) + 1
            times = self.index.busy[self.path]
        if times <= 2:
            return self._say(503, b"later", "text/plain", [("Retry-After", "0")])
        return self._say(200, body or b"", kind)

    def _slow(self, body, kind):
        self.index.released.wait()
        self.close_connection = True

    def _held(self, body, kind):
        self.index.released.wait()
        self._say(200, body or b"", kind)

    def _half(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write((body or b"")[:len(body or b"") // 2])
        self.wfile.flush()
        self.close_connection = True

    def _stall(self, body, kind):
        self._half(body, kind)
        self.index.released.wait()

    def _cut(self, body, kind):
        self._half(body, kind)

    def _endless(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        piece = b" " * 65536
        while not self.index.released.is_set():
            self.wfile.write(piece)

    def _garbage(self, body, kind):
        self._say(200, b"\x00\xff{<]" * 100, kind)

    def _wrong_hash(self, body, kind):
        self._say(200, (body or b"") + b"\n", kind)

    def _redirect(self, body, kind):
        self._say(302, b"", "text/plain", [("Location", "/moved" + self.path)])

    def _redirect_loop(self, body, kind):
        self._say(302, b"", "text/plain", [("Location", self.path)])

    def _redirect_file(self, body, kind):
        self._say(302, b"", "text/plain", [("Location", "file:///etc/passwd")])

    def _lies(self, body, kind):
        self._say(200, b"<!DOCTYPE html><html><body>Sign in to the hotel's network</body></html>", JSON_TYPE)

    def _hang_up(self, body, kind):
        self.close_connection = True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                        # clients may go when they like


class PackageIndex:
    """formats: what it can say ("json", "html"). metadata: whether PEP 658's files are there. faults: {project or file: FAULTS}.
    login: (user, password) that every request must have. requests: (method, path, headers), all that came."""

    def __init__(self, formats=("json", "html"), metadata=True, login=None):
        self.formats, self.metadata, self.login = formats, metadata, login
        self.authorization = "Basic " + base64.b64encode(":".join(login).encode()).decode() if login else None
        self.files, self.faults, self.requests, self.busy = {}, {}, [], {}
        self.lock, self.released = threading.Lock(), threading.Event()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.index = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """No more answers; whoever waits for one is let go."""
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def release(self):
        """Let go of what "slow", "stall" and "endless" hold."""
        self.released.set()

    @property
    def origin(self):
        return "http://127.0.0.1:%d" % self.server.server_address[1]

    @property
    def url(self):
        """The index itself, for --index-url."""
        return self.origin + "/simple/"

    @property
    def json_url(self):
        """Warehouse's older JSON: a pattern with {package_name}."""
        return self.origin + "/pypi/{package_name}/json"

    def add(self, *files):
        """Wheels and sdists, as wheel() and sdist() make them; the first of them is returned."""
        with self.lock:
            for one in files:
                self.files[one.filename] = one
        return files[0]

    def file_url(self, one):
        """Where a file is: one, or its name."""
        return "%s/files/%s" % (self.origin, quote(getattr(one, "filename", one)))

    def asked(self, part=""):
        """Paths that were asked for and contain this."""
        with self.lock:
            return [path for _, path, _ in self.requests if part in path]

    # -- what pages say --

    def _of(self, project):
        with self.lock:
            return [one for one in self.files.values() if normalize(one.name) == normalize(project)]

    def _hash(self, one):
        return {} if self.faults.get(one.filename) == "no-hash" else {"sha256": one.sha256}

    def _size(self, one):
        return len(one.data) + (7 if self.faults.get(one.filename) == "wrong-size" else 0)

    def page(self, project, as_json):
        """Of a project, or the list of all (None); None: there is no such project."""
        if project is None:
            with self.lock:
                names = sorted({normalize(one.name) for one in self.files.values()})
            if as_json:
                return json.dumps({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]}).encode()
            return "<!DOCTYPE html><html><body>{}</body></html>".format(
                "".join(f'<a href="/simple/{name}/">{name}</a><br>' for name in names)).encode()
        found = self._of(project)
        if not found:
            return None
        return (self._json_page if as_json else self._html_page)(project, found)

    def _json_page(self, project, found):
        files = []
        for one in found:
            entry = {"filename": one.filename, "url": f"/files/{quote(one.filename)}", "hashes": self._hash(one), "size": self._size(one),
                     "yanked": one.yanked, "upload-time": one.upload_time}
            if one.requires_python:
                entry["requires-python"] = one.requires_python
            if one.metadata is not None and self.metadata:
                entry["core-metadata"] = {"sha256": hashlib.sha256(one.metadata).hexdigest()}       # only this: see PEP 714
            files.append(entry)
        return json.dumps({"meta": {"api-version": "1.1"}, "name": normalize(project), "files": files,
                           "versions": sorted({one.version for one in found})}).encode()

    def _html_page(self, project, found):
        lines = []
        for one in found:
            fragment = "".join(f"#{kind}={value}" for kind, value in self._hash(one).items())
            attributes = f' data-requires-python="{html.escape(one.requires_python)}"' if one.requires_python else ""
            if one.yanked is not False:
                attributes += f' data-yanked="{html.escape(one.yanked if isinstance(one.yanked, str) else "")}"'
            if one.metadata is not None and self.metadata:
                digest = hashlib.sha256(one.metadata).hexdigest()
                attributes += f' data-core-metadata="sha256={digest}" data-dist-info-metadata="sha256={digest}"'
            lines.append(f'<a href="../../files/{quote(one.filename)}{fragment}"{attributes}>{html.escape(one.filename)}</a><br>')
        return ("<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.0\">"
                f"<title>Links for {html.escape(project)}</title></head><body>\n" + "\n".join(lines) + "\n</body></html>").encode()

    def warehouse(self, project, version=None):
        """PyPI's /pypi/NAME/json, as clients from before PEP 691 read it."""
        found = self._of(project)
        if not found:
            return None
        releases = {}
        for one in found:
            releases.setdefault(one.version, []).append({
                "filename": one.filename, "url": self.file_url(one), "digests": self._hash(one), "size": self._size(one),
                "packagetype": "bdist_wheel" if one.filename.endswith(".whl") else "sdist",
                "requires_python": one.requires_python, "yanked": one.yanked is not False})
        newest = version or found[-1].version
        if newest not in releases:
            return None
        return json.dumps({"info": {"name": found[0].name, "version": newest}, "releases": releases,
                           "urls": releases[newest]}).encode()
