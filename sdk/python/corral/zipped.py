"""zipped.py - read a zip archive that a stranger made.

Pure Python without `js`.  Everything is bounded before anything is unpacked, and only what a wheel can have is read: files and
folders, stored or deflated, whole, not encrypted, not overlapping, under paths that stay below the place where they are put.
"""
import stat
import struct
import zlib

ENTRIES_MAX = 50_000            # files and folders
NAME_MAX = 255                  # bytes of one name in a path
PATH_MAX = 1024                 # bytes of a path
DEPTH_MAX = 64                  # names in a path
UNPACKED_MAX = 512 << 20         # bytes of all files together
RATIO_MAX = 100                 # how many times the archive's size they may be ...
RATIO_FREE = 16 << 20           # ... once they are more than this

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_DAMAGED, _CUT = "the archive is damaged", "the archive is cut short"


class ZipError(ValueError):
    """The archive is broken, or has something that is not unpacked; the text says what."""


class Entry:
    """One file: its path, its size unpacked, and its mode as Unix has it (0: none given)."""
    __slots__ = ("path", "size", "mode", "packed", "method", "crc", "offset", "raw")


def check_path(path):
    """`path` as a list of names, when it stays below where it is put.  Raises ZipError."""
    if not path or len(path.encode("utf-8", "surrogatepass")) > PATH_MAX:
        raise ZipError(f"a path of {len(path)} characters: at most {PATH_MAX} bytes are unpacked")
    if any(c < " " or c == "\x7f" for c in path):
        raise ZipError(f"the path {path!r} has control characters in it")
    names = path.split("/")
    if path[0] == "/" or "\\" in path or (len(names[0]) > 1 and names[0][1] == ":"):
        raise ZipError(f"the path {path!r} would leave the folder that it is put into")
    for name in names:
        if name == "..":
            raise ZipError(f"the path {path!r} would leave the folder that it is put into")
        if name in ("", ".") or len(name.encode("utf-8", "surrogatepass")) > NAME_MAX:
            raise ZipError(f"the path {path!r} is no plain path")
    if len(names) > DEPTH_MAX:
        raise ZipError(f"the path {path[:100]!r}... is more than {DEPTH_MAX} folders deep")
    return names


def entries(data):
    """The files in the archive `data` (bytes), in its own order.  Raises ZipError."""
    found, folders, files = [], set(), set()
    total = 0
    for entry, is_folder in _directory(data):
        path = entry.path[:-1] if is_folder else entry.path
        names = check_path(path)
        above = ["/".join(names[:i]) for i in range(1, len(names))]
        if path in files or (not is_folder and path in folders) or not files.isdisjoint(above):
            raise ZipError(f"{path!r} is in the archive twice")
        folders.update(above)
        if is_folder:
            folders.add(path)
            continue
        files.add(path)
        total += entry.size
        found.append(entry)
    if total > UNPACKED_MAX:
        raise ZipError(f"its files are {total >> 20} MiB, of {UNPACKED_MAX >> 20} MiB that are unpacked at most")
    if total > max(RATIO_FREE, RATIO_MAX * len(data)):
        raise ZipError(f"{len(data)} bytes would unpack to {total}, which is more than {RATIO_MAX} times as much")
    _check_places(found, len(data))
    return found


def read(data, entry):
    """Bytes of one file, checked.  Raises ZipError."""
    start = entry.offset
    if start + _LOCAL.size > len(data):
        raise ZipError(_CUT)
    head = _LOCAL.unpack_from(data, start)
    name_at = start + _LOCAL.size
    at = name_at + head[9] + head[10]
    if head[0] != b"PK\3\4" or at + entry.packed > len(data):
        raise ZipError(_CUT if head[0] == b"PK\3\4" else _DAMAGED)
    if data[name_at:name_at + head[9]] != entry.raw or head[3] != entry.method:
        raise ZipError(f"{entry.path!r} is called otherwise where it begins than in the list of the archive's files")
    packed = memoryview(data)[at:at + entry.packed]
    if entry.method == 0:
        content = bytes(packed)
    else:
        inflate = zlib.decompressobj(-15)
        try:
            content = inflate.decompress(packed, entry.size + 1)
        except zlib.error:
            raise ZipError(f"{entry.path!r} is damaged") from None
        if not inflate.eof and len(content) <= entry.size:
            raise ZipError(f"{entry.path!r} is damaged")
    if len(content) != entry.size:
        raise ZipError(f"{entry.path!r} is not as long as the archive's list of files says: {entry.size} bytes")
    if zlib.crc32(content) != entry.crc:
        raise ZipError(f"{entry.path!r} is damaged")
    return content


def _check_places(found, length):
    """No two files share bytes: that is how a small archive becomes a large one."""
    end = 0
    for entry in sorted(found, key=lambda entry: entry.offset):
        if entry.offset < end:
            raise ZipError("files of the archive overlap")
        end = entry.offset + _LOCAL.size + len(entry.raw) + entry.packed
    if end > length:
        raise ZipError(_CUT)


def _end(data):
    """(number of entries, bytes of their list, its offset)."""
    at = data.rfind(b"PK\5\6", max(0, len(data) - _END.size - 0xffff))
    if at < 0:
        raise ZipError(_CUT if data[:4] == b"PK\3\4" else "it is no zip archive")
    if at + _END.size > len(data):
        raise ZipError(_CUT)
    _, disk, first, here, count, size, offset, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != len(data):
        raise ZipError("there is something behind the archive's end")
    if 0xffff in (here, count) or 0xffffffff in (size, offset):
        return _end64(data, at)
    if disk or first or here != count or offset + size != at:
        raise ZipError(_DAMAGED)
    return count, size, offset


def _end64(data, at):
    at -= _LOCATOR64.size
    if at < 0 or data[at:at + 4] != b"PK\6\7":
        raise ZipError(_DAMAGED)
    where = _LOCATOR64.unpack_from(data, at)[2]
    if where + _END64.size > at or data[where:where + 4] != b"PK\6\6":
        raise ZipError(_DAMAGED)
    _, length, _, _, disk, first, here, count, size, offset = _END64.unpack_from(data, where)
    if disk or first or here != count or offset + size != where or where + length + 12 != at:
        raise ZipError(_DAMAGED)
    return count, size, offset


def _directory(data):
    """(entry, is it a folder) for all in the archive's list."""
    count, size, at = _end(data)
    if count > ENTRIES_MAX:
        raise ZipError(f"the archive has {count} files, of {ENTRIES_MAX} that are unpacked at most")
    stop = at + size
    for _ in range(count):
        if at + _ENTRY.size > stop:
            raise ZipError(_DAMAGED)
        (mark, made, _, flags, method, _, _, crc, packed, unpacked, name, extra, comment, disk, _, attributes,
         offset) = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        after = at + name + extra + comment
        if mark != b"PK\1\2" or after > stop or disk not in (0, 0xffff):
            raise ZipError(_DAMAGED)
        entry = Entry()
        entry.raw = bytes(data[at:at + name])
        entry.path = _path(entry.raw, flags)
        entry.size, entry.packed, entry.offset = _sizes64(data[at + name:at + name + extra], unpacked, packed, offset)
        entry.method, entry.crc = method, crc
        entry.mode = attributes >> 16 if made >> 8 == 3 else 0
        at = after
        yield entry, _check(entry, flags)
    if at != stop:
        raise ZipError(_DAMAGED)


def _path(raw, flags):
    try:
        return raw.decode("utf-8" if flags & 0x800 or raw.isascii() else "cp437")
    except UnicodeDecodeError:
        raise ZipError(f"the path {raw[:100]!r} is not in UTF-8") from None


def _sizes64(extra, *fields):
    """The fields of an entry; those that do not fit 32 bits are in its extra field."""
    if 0xffffffff not in fields:
        return fields
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = extra[at + 4:at + 4 + length]
            values = iter(struct.unpack(f"<{len(wide) // 8}Q", wide[:len(wide) // 8 * 8]))
            try:
                return tuple(next(values) if field == 0xffffffff else field for field in fields)
            except (StopIteration, RuntimeError):
                break
        at += 4 + length
    raise ZipError(_DAMAGED)


def _check(entry, flags):
    """Is it a folder?  Raises ZipError when it is neither that nor a file as we unpack it."""
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if kind == stat.S_IFLNK else "no file"
        raise ZipError(f"{entry.path!r} is {what}: only files and folders are unpacked")
    if flags & 0x2041:
        raise ZipError(f"{entry.path!r} is encrypted")
    is_folder = entry.path.endswith("/")
    if kind and is_folder != (kind == stat.S_IFDIR):
        raise ZipError(f"{entry.path!r} is both a file and a folder")
    if is_folder and (entry.size or entry.packed > 2):
        raise ZipError(f"the folder {entry.path!r} has bytes in it")
    if entry.method not in (0, 8):
        raise ZipError(f"{entry.path!r} is packed by method {entry.method}: files are stored (0) or deflated (8)")
    if entry.method == 0 and entry.packed != entry.size:
        raise ZipError(_DAMAGED)
    return is_folder
