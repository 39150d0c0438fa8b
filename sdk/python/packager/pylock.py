"""pylock.py - lock files in the form of pylock.toml (PEP 751): written, and read again with their hashes."""
import json
import re
import tomllib

from corral.sets import normalize

from .report import Failure

VERSION = "1.0"


def _text(value):
    """A value as TOML says it: its strings are JSON's, but for DEL."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return json.dumps(value)
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key):
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def dumps(packages, requires_python):
    """The text of a lock file. packages: dicts with the keys of PEP 751's [[packages]], "tool" and "wheels" the last."""
    lines = ["# Made by Corral; see docs/packages.md.", f"lock-version = {_text(VERSION)}", 'created-by = "corral"',
             f"requires-python = {_text(requires_python)}"]
    for package in sorted(packages, key=lambda package: package["name"]):
        lines += ["", "[[packages]]"]
        for key, value in package.items():
            if key == "wheels":
                lines += ["wheels = [", *(f"    {_text(wheel)}," for wheel in value), "]"]
            elif key == "tool":
                lines += ["", "[packages.tool.corral]", *(f"{_key(name)} = {_text(one)}" for name, one in value.items())]
            elif value not in ("", None, [], {}):
                lines.append(f"{_key(key)} = {_text(value)}")
    return "\n".join(lines) + "\n"


def _mistake(path, text, hint=""):
    return Failure(f"{path}: {text}", hint or "a lock file is what `corral packages lock` writes, or uv and pip in the form of PEP 751",
                   file=path)


def _check_wheels(path, name, wheels):
    if not isinstance(wheels, list) or not all(isinstance(wheel, dict) for wheel in wheels):
        raise _mistake(path, f"`wheels` of {name} is no list of tables")
    for wheel in wheels:
        if not isinstance(wheel.get("url") or wheel.get("path"), str):
            raise _mistake(path, f"a wheel of {name} has no url")
        hashes = wheel.get("hashes")
        if not isinstance(hashes, dict) or not re.fullmatch(r"[0-9a-fA-F]{64}", str(hashes.get("sha256", ""))):
            raise _mistake(path, f"a wheel of {name} has no sha256", "lock it again: without hashes a lock file locks nothing")


def load(path):
    """The [[packages]] of a lock file, checked: every one has a normalized name, a version, and wheels with a sha256.

    Failure: it cannot be read, or is none."""
    try:
        with open(path, "rb") as f:
            said = tomllib.load(f)
    except OSError as e:
        raise Failure(f"the lock file {path} cannot be read: {e.strerror}", file=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise _mistake(path, f"this is not TOML: {e}") from None
    if not str(said.get("lock-version", "")).startswith("1."):
        raise _mistake(path, f"`lock-version` is {said.get('lock-version')!r}; {VERSION} is known")
    packages = said.get("packages", [])
    if not isinstance(packages, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in packages):
        raise _mistake(path, "`packages` is no list of tables with names")
    for one in packages:
        one["name"] = normalize(one["name"])
        if not isinstance(one.get("version"), str):
            raise _mistake(path, f"{one['name']} has no version")
        _check_wheels(path, one["name"], one.get("wheels", []))
        if not one.get("wheels"):
            raise _mistake(path, f"{one['name']} has no wheel", "source distributions are not built: lock a version that has wheels")
    return packages
