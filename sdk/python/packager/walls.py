"""walls.py - what a job may still see of the machine: the way into the packager's box (src/box/confine.h).

A stranger's upload is read inside: the job sees Python, the installer, whom TLS trusts, the sets, its project, and writes into its own
account's environments alone, a cache among them. One's own project may name any file of one's own, so it is only what comes from an
index, and the programs that unpack it, that are inside: they read as before, and write where packages are kept.
"""
import os
import shutil
import sys
import sysconfig
import urllib.parse
import urllib.request

# What programs and names of hosts need. /etc/ssl/private, /etc/shadow and the like are not among them.
_SYSTEM = """
    /usr /bin /sbin /lib /lib32 /lib64 /libx32 /nix/store
    /etc/ld.so.cache /etc/localtime /etc/os-release /etc/debian_version /etc/mime.types /etc/python3.11
    /etc/resolv.conf /etc/hosts /etc/host.conf /etc/gai.conf /etc/nsswitch.conf /etc/services /etc/protocols
    /etc/ssl/certs /etc/ssl/cert.pem /etc/ssl/openssl.cnf /etc/pki/tls/certs /etc/pki/tls/openssl.cnf /etc/pki/ca-trust /etc/ca-certificates/extracted
""".split()
_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "PIP_CLIENT_CERT")
_KEYRINGS = ("PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER")

_is_inside = False


def _named_by_the_node():
    """Files and folders that the node's own environment names: certificates, logins of indexes, folders with wheels."""
    found = [os.environ[name] for name in _FILES if os.environ.get(name)]
    found.append(os.environ.get("NETRC") or os.path.join(os.environ.get("HOME") or "/", ".netrc"))
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        for place in os.environ.get(name, "").replace(",", " ").split():
            if place.startswith("file://"):
                found.append(urllib.request.url2pathname(urllib.parse.urlsplit(place).path))
            elif "://" not in place:
                found.append(place)
    return [path for path in found if os.path.isabs(path) and os.access(path, os.R_OK)]


def _programs():
    """Where Python and uv are, if that is somewhere else."""
    uv = shutil.which("uv")
    found = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), *([os.path.abspath(uv), os.path.realpath(uv)] if uv else [])]
    return [path for path in found if path and not path.startswith("/usr/") and path not in ("/", "/usr")]


def enter_for_upload(job):
    """Before a byte of the upload is read: job["project"], "home", "state". What it needs is there from here on."""
    state = job["state"]
    os.makedirs(state, mode=0o700, exist_ok=True)
    for name in _KEYRINGS:      # a program of the node's user, with a door to his session
        os.environ.pop(name, None)
    _enter([*_SYSTEM, *_programs()], [*_named_by_the_node(), job["home"], job["project"]], [state])


def enter(*folders):
    """Before an index is asked: these folders may be written, and are made; everything may be read. Once in a process: the first
    time says it all."""
    for folder in folders:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    _enter(["/"], [], list(folders))


def _enter(reads, owns, writes):
    global _is_inside
    if not _is_inside:
        import _corral      # of the program itself: src/realm/py/packages.c
        _is_inside = True
        reads, owns, writes = (list(dict.fromkeys(map(os.path.abspath, paths))) for paths in (reads, owns, writes))
        _corral.enter_box(reads, owns, writes,
                          any(os.environ.get(name, "disabled") not in ("", "disabled") for name in _KEYRINGS))
