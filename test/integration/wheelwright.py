"""wheelwright.py - makes wheels for tests: good ones, and, entry by entry, bad ones."""
import base64
import hashlib
import io
import struct
import zipfile
import zlib


def record_line(path, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def contents(name, version, files=None, requires=(), extras=(), tag="py3-none-any", entry_points="", metadata="", requires_python=""):
    """{path: bytes} of a wheel, RECORD included."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    head += "".join(f"Requires-Dist: {one}\n" for one in requires) + "".join(f"Provides-Extra: {one}\n" for one in extras)
    head += f"Requires-Python: {requires_python}\n" if requires_python else ""
    found = {path: text.encode() if isinstance(text, str) else text for path, text in
             (files if files is not None else {f"{name.replace('-', '_')}.py": f"__version__ = {version!r}\n"}).items()}
    found[f"{info}/METADATA"] = (metadata or head + "\nA package of the tests.\n").encode()
    found[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {str(tag.endswith('any')).lower()}\nTag: {tag}\n".encode()
    if entry_points:
        found[f"{info}/entry_points.txt"] = entry_points.encode()
    found[f"{info}/RECORD"] = ("".join(record_line(path, data) for path, data in found.items()) + f"{info}/RECORD,,\n").encode()
    return found


def zipped(files, method=zipfile.ZIP_DEFLATED):
    """Bytes of an archive of {path: bytes}, or of [(path or ZipInfo, bytes)]."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(path, data)
    return out.getvalue()


def wheel(name, version, files=None, **how):
    """(file name, bytes) of a good wheel."""
    tag = how.get("tag", "py3-none-any")
    return f"{name.replace('-', '_')}-{version}-{tag}.whl", zipped(contents(name, version, files, **how))


def bomb(name, version, size):
    """A good wheel, but for a file of `size` zeros."""
    files = contents(name, version)
    record = next(path for path in files if path.endswith("RECORD"))
    zeros = bytes(1 << 20)
    digest = hashlib.sha256()
    for _ in range(size >> 20):
        digest.update(zeros)
    files[record] += f"zeros.bin,sha256={base64.urlsafe_b64encode(digest.digest()).rstrip(b'=').decode()},{size}\n".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        with archive.open("zeros.bin", "w", force_zip64=False) as f:
            for _ in range(size >> 20):
                f.write(zeros)
    return out.getvalue()


def raw_zip(entries, count=None, tail=b""):
    """An archive made by hand.  entries: dicts with path, data and any field that shall be wrong: local_path, flags, method, size,
    packed, crc, mode, offset."""
    out, directory = bytearray(), bytearray()
    for one in entries:
        path, data = one["path"], one.get("data", b"")
        path = path.encode() if isinstance(path, str) else path
        local = one.get("local_path", path)
        method, flags = one.get("method", 0), one.get("flags", 0)
        packed = one.get("raw", zlib.compress(data)[2:-4] if method == 8 else data)
        crc, size, length = one.get("crc", zlib.crc32(data)), one.get("size", len(data)), one.get("packed", len(packed))
        offset = one.get("offset", len(out))
        out += struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0x21, crc, length, size, len(local), 0) + local + packed
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x314, 20, flags, method, 0, 0x21, crc, length, size, len(path), 0, 0, 0, 0,
                                 one.get("mode", 0o100644) << 16, offset) + path
    count = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out + directory) + end + tail
