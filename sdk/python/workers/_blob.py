"""workers._blob - Blob and File."""
from collections.abc import Iterable
from enum import StrEnum
from operator import attrgetter

import _corral
import js

from ._values import JsException, JsProxy, kind, no_attribute, python_error, type_name


class BlobEnding(StrEnum):
    """What becomes of line ends in text: left as they are, or made those of the system."""
    TRANSPARENT = "transparent"
    NATIVE = "native"


def _is_buffer(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return True
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def _part(where, part):
    if isinstance(part, (str, bytes)):
        return part
    if isinstance(part, Blob):
        return part._js_blob
    if isinstance(part, JsProxy):
        if kind(part) in ("Blob", "File", "buffer"):
            return part
    elif _is_buffer(part):
        return bytes(memoryview(part))
    raise TypeError(f"{where}: a part must be a str, bytes, a buffer, a Blob or a File, not {type_name(part)}")


def _single(value):
    """Whether it is one part, not an iterable of parts."""
    return (isinstance(value, (str, Blob)) or _is_buffer(value)
            or (isinstance(value, JsProxy) and kind(value) in ("Blob", "File", "buffer")))


class Blob:
    """Bytes with a content type.

    blob_parts: a str, bytes, another buffer, a Blob or File of Python or JavaScript, or an iterable of those; a single
    Blob gives its content_type too.  endings: a BlobEnding.  Raises TypeError for other parts.
    """

    def __init__(self, blob_parts, content_type=None, endings=None):
        given, parts = self._taken(blob_parts)
        if not content_type and isinstance(given, JsProxy):
            content_type = given.type
        self._js_blob = self._new(js.Blob.new, parts, type=content_type, endings=endings)

    def _taken(self, blob_parts):
        """The single Blob of JavaScript that was given, or None; and an array of all the parts."""
        where = type(self).__name__
        if _single(blob_parts):
            part = _part(where, blob_parts)
            return part if kind(part) in ("Blob", "File") else None, [part]
        if isinstance(blob_parts, dict) or not isinstance(blob_parts, Iterable):
            raise TypeError(f"{where}: blob_parts must be a str, bytes, a buffer, a Blob, or a list of those, not {type_name(blob_parts)}")
        return None, [_part(where, part) for part in blob_parts]

    @staticmethod
    def _new(constructor, parts, *names, **options):
        options = {name: str(value) if name == "endings" else value for name, value in options.items() if value is not None}
        try:
            return constructor(_corral.js_array(parts), *names, **options)
        except JsException as e:
            raise python_error(e) from None

    @classmethod
    def _of(cls, js_blob):
        self = cls.__new__(cls)
        self._js_blob = js_blob
        return self

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size}, content_type={self.content_type!r})"

    js_object = property(attrgetter("_js_blob"), doc="The Blob of JavaScript.")
    size = property(attrgetter("_js_blob.size"), doc="How many bytes there are.")
    content_type = property(attrgetter("_js_blob.type"), doc="The content type, in lower case; '' when nobody gave one.")

    async def text(self):
        """The content as a str."""
        return await self._js_blob.text()

    async def bytes(self):
        """The content as bytes."""
        return (await self._js_blob.arrayBuffer()).to_bytes()

    def slice(self, start=None, end=None, content_type=None):
        """A Blob of the bytes from start to end; negative ones count from the end."""
        return Blob._of(self._js_blob.slice(start, end, content_type))

    def stream(self):
        """The content as a ReadableStream of JavaScript."""
        return self._js_blob.stream()

    def __getattr__(self, name):
        no_attribute(self, name)


class File(Blob):
    """A Blob with a name and a time.

    filename may be left out when a single File is given, which gives its content_type and last_modified too.
    last_modified: milliseconds since 1970.
    """

    def __init__(self, blob_parts, filename=None, content_type=None, endings=None, last_modified=None):
        given, parts = self._taken(blob_parts)
        if given is not None:
            content_type = content_type or given.type
            if kind(given) == "File":
                filename = given.name if filename is None else filename
                last_modified = last_modified or given.lastModified
        if filename is None:
            raise TypeError("File() missing 1 required argument: 'filename'")
        if not isinstance(filename, str):
            raise TypeError(f"File: filename must be a str, not {type_name(filename)}")
        self._js_blob = self._new(js.File.new, parts, filename, type=content_type, endings=endings, lastModified=last_modified)

    def __repr__(self):
        return f"File(name={self.name!r}, size={self.size}, content_type={self.content_type!r})"

    name = property(attrgetter("_js_blob.name"), doc="The name.")
    last_modified = property(attrgetter("_js_blob.lastModified"), doc="Milliseconds since 1970.")
