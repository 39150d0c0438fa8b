"""output.py - sys.stdout.buffer and sys.stderr.buffer: bytes for the log, which is of text."""
import codecs
import io


class ByteOutput(io.RawIOBase):
    """Decodes what it is given; a character may come in pieces."""

    mode = "wb"

    def __init__(self, text):
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.name = text.name

    def writable(self):
        return True

    def write(self, data):
        with memoryview(data) as view:
            self._text.write(self._decoder.decode(view.cast("B")))
            return view.nbytes

    def flush(self):
        self._text.flush()

    def fileno(self):
        return self._text.fileno()

    def close(self):
        """The log stays open."""


_buffers = {}


def buffer_of(text):
    if text.name not in _buffers:
        _buffers[text.name] = ByteOutput(text)
    return _buffers[text.name]
