"""Archives that are in memory, unpacked into a folder."""
import io
import os
import shutil
import tarfile
import tempfile
import zipfile

_ZIPS = {"zip": (".zip",), "whl": (".whl", ".wheel")}


def _formats():
    """name -> extensions."""
    return {**{name: tuple(extensions) for name, extensions, _ in shutil.get_unpack_formats()}, **_ZIPS}


def _format_of(filename, format):
    formats = _formats()
    if format:
        for name, extensions in formats.items():
            if format == name or format in extensions or "." + format in extensions:
                return name
        raise ValueError(f"Unrecognized format {format}")
    if not filename:
        raise ValueError("At least one of filename and format must be provided")
    for name, extensions in formats.items():
        if filename.endswith(extensions):
            return name
    raise shutil.ReadError(f"Unknown archive format '{filename}'")


def unpack(data, filename, format, folder):
    """Unpack bytes; `format` goes before the extension of `filename`."""
    name = _format_of(filename, format)
    folder = folder or "."
    os.makedirs(folder, exist_ok=True)
    if name in _ZIPS:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(folder)
    elif name.endswith("tar"):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    else:
        with tempfile.NamedTemporaryFile(suffix=filename) as f:
            f.write(data)
            f.flush()
            shutil.unpack_archive(f.name, folder, name)
