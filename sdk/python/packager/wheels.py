"""wheels.py - put wheels into a package set."""
import hashlib
import os

from corral import wheel
from corral.sets import split

from . import needs, trees
from .report import Failure


def opened(data, filename):
    """A wheel.Wheel. Failure: it is none, or one of something else than it says."""
    try:
        return wheel.Wheel(data, filename)
    except wheel.WheelError as e:
        raise Failure(f"{filename} cannot be installed: {e}", "nothing of it was installed; ask another index, or another version") from None


def unpack(data, filename, folder):
    """Unpack a wheel into a folder, all of it or nothing is right. Returns its metadata. Failure."""
    one = opened(data, filename)
    try:
        for path, content in one.files(installer="corral"):
            to = os.path.join(folder, path)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            with open(to, "wb") as f:
                f.write(content)
    except (wheel.WheelError, OSError) as e:
        raise Failure(f"{filename} cannot be installed: {e}", "nothing of it was installed; ask another index, or another version") from None
    return one.metadata


class Chosen:
    """A wheel that goes into a set. name: normalized. file: its name. url, index: where it came from. data: its bytes."""

    def __init__(self, name, version, file, url, index, data):
        self.name, self.version, self.file, self.url, self.index, self.data = name, version, file, url, index, data


def fill(making, chosen):
    """Unpack these [Chosen] into a set that is being made."""
    unpacked = []
    for one in chosen:
        folder, place = making.place(one.name, one.version)
        unpacked.append((one, folder, place, unpack(one.data, one.file, folder)))
    names = {one.name for one in chosen}
    for one, folder, place, metadata in unpacked:
        base, extras = needs.of_metadata(metadata.requires, metadata.extras)
        dependencies, missing = needs.within(base, names)
        have, lacks = needs.extras_within(extras, names)
        digest = hashlib.sha256(one.data).hexdigest()
        making.add(one.name, {
            "version": one.version, "folder": place, "imports": trees.tops(folder), "dependencies": dependencies, "extras": have,
            "lacks": {**lacks, "": missing} if missing else lacks, "source": one.url, "hash": f"sha256:{digest}",
        }, {
            "requires-python": metadata.requires_python, "dependencies": [{"name": split(need)[0]} for need in dependencies],
            "index": one.index, "wheels": [{"name": one.file, "url": one.url, "size": len(one.data), "hashes": {"sha256": digest}}],
        })
