"""http1.py - the bytes of HTTP/1.1 as libraries write and read them, for those that know only connections.

Ask takes a request's bytes apart, Reply writes an answer's; both for one request after the other.  Pure.
"""
import re

HEAD_MAX = 1 << 20      # bytes of a request's head
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.([01])\r?\n?")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_HEAD, _LENGTH, _SIZE, _CHUNK, _CHUNK_END, _TRAILER = range(6)


class Malformed(Exception):
    """The library has written what is no request."""


class Head:
    """Of a request.  length: of its body, -1 if not known."""

    __slots__ = ("method", "target", "headers", "length")

    def __init__(self, data):
        line, _, rest = data.partition(b"\n")
        match = _LINE.fullmatch(line)
        if match is None:
            raise Malformed(f"this is no request of HTTP/1.1: {line[:80]!r}")
        self.method, self.target = match[1], match[2]
        self.headers, self.length = [], 0
        if b"\n " in rest or b"\n\t" in rest:
            rest = _FOLD.sub(b" ", rest)
        for line in rest.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon:
                self.headers.append((name.strip(), value.strip()))
            elif line.strip():
                raise Malformed(f"this is no header: {line[:80]!r}")
        for name, value in self.headers:
            name = name.lower()
            if name == b"transfer-encoding":
                self.length = -1
                break
            if name == b"content-length":
                if not value.isdigit():
                    raise Malformed(f"this is no Content-Length: {value[:40]!r}")
                self.length = int(value)
            if name == b"upgrade" and value.lower() != b"h2c":
                raise Malformed(f"a connection is to become one of {value.decode('latin-1')}, which the node does not do")


class Ask:
    """Requests, byte by byte."""

    def __init__(self):
        self._data, self._state, self._left = b"", _HEAD, 0

    def feed(self, data):
        """What is in the bytes, in order: a Head, pieces of its body (bytes), None at its end, the next Head."""
        if self._state == _LENGTH and len(data) <= self._left:      # nearly always
            self._left -= len(data)
            yield data
            if not self._left:
                self._state = _HEAD
                yield None
            return
        self._data += data
        while True:
            step = (self._head, self._length, self._size, self._chunk, self._chunk_end, self._trailer)[self._state]
            found = step()
            if found is False:
                return
            yield from found

    def _line(self):
        """A whole line without its end, or None."""
        line, end, rest = self._data.partition(b"\n")
        if not end:
            if len(line) > HEAD_MAX:
                raise Malformed("a line without an end")
            return None
        self._data = rest
        return line.rstrip(b"\r")

    def _head(self):
        data = self._data.lstrip(b"\r\n")
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > HEAD_MAX:
                raise Malformed("the head of this request has no end")
            return False
        self._data = data[end + 4:]
        head = Head(data[:end + 2])
        if head.length == 0:
            return head, None
        self._state, self._left = (_SIZE, 0) if head.length < 0 else (_LENGTH, head.length)
        return head,

    def _take(self, done):
        piece, self._data = self._data[:self._left], self._data[self._left:]
        if not piece:
            return False
        self._left -= len(piece)
        if not self._left:
            self._state = done
        return (piece, None) if done == _HEAD and not self._left else (piece,)

    def _length(self):
        return self._take(_HEAD)

    def _size(self):
        line = self._line()
        if line is None:
            return False
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            raise Malformed(f"this is no size of a chunk: {line[:40]!r}") from None
        self._state = _CHUNK if self._left else _TRAILER
        return ()

    def _chunk(self):
        return self._take(_CHUNK_END)

    def _chunk_end(self):
        if self._line() is None:
            return False
        self._state = _SIZE
        return ()

    def _trailer(self):
        line = self._line()
        if line is None:
            return False
        if line:
            return ()
        self._state = _HEAD
        return (None,)


class Reply:
    """One answer as bytes."""

    def __init__(self, method, head):
        status, reason, version, headers, _ = head
        names = {name.lower(): value.lower() for name, value in headers}
        self._is_chunked = b"chunked" in names.get(b"transfer-encoding", b"")
        has_body = method != b"HEAD" and status >= 200 and status not in (204, 304)
        self._is_chunked = self._is_chunked and has_body
        # Whether its end is the end of the connection.
        self.closes = has_body and not self._is_chunked and b"content-length" not in names
        lines = [b"HTTP/%s %d %s\r\n" % (b"1.0" if version == b"1.0" else b"1.1", status, reason)]
        lines += [b"%s: %s\r\n" % pair for pair in headers]
        self.head = b"".join(lines) + b"\r\n"

    def piece(self, data):
        """What stands for bytes of the body."""
        return b"%x\r\n%s\r\n" % (len(data), data) if self._is_chunked else data

    def end(self):
        """What stands for its end."""
        return b"0\r\n\r\n" if self._is_chunked else b""
