"""network.py - whom the installer may reach for a stranger's requirements: the rules of the node, kept in the process that connects.

Python tells an audit hook of each socket's connect(), with the address that was resolved: so it is with pip and with the packager
itself.  What an index's page, a redirect or a wheel's metadata lead to is asked about like what was named.  This file is also run
inside of pip's process, as it stands: it needs nothing of Corral's.

The rules are those of src/text/reach.h, in the form of its reach_json.  Those whom the node's owner has named himself may be anywhere:
indexes and proxies, by the name that they were named by.
"""
import ipaddress
import json
import os
import re
import sys
import threading
from urllib.parse import urlsplit

VARIABLE, CODE = "CORRAL_NETWORK", "CORRAL_NETWORK_CODE"        # of pip's environment: what is said, and this file
REFUSED = "this node lets no package come from there"

_RULE = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<other>[^:]+))(?::(?P<port>\d+))?")
_NAT64, _6TO4 = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16")


def _inner(ip):
    """The IPv4 address that one of IPv6 carries to a translator or a tunnel, or None."""
    whole = int(ip)
    if ip in _NAT64:
        return ipaddress.IPv4Address(whole & 0xffffffff)
    if ip in _6TO4:
        return ipaddress.IPv4Address(whole >> 80 & 0xffffffff)
    if (whole >> 32 & 0xfdffffff) == 0x5efe:
        return ipaddress.IPv4Address(whole & 0xffffffff)
    return None


class _Rule:
    def __init__(self, text):
        said = _RULE.fullmatch(text)
        target = said["v6"] or said["other"]
        self.port, self.range, self.name, self.is_all = int(said["port"] or 0), None, "", target == "*"
        try:
            self.range = ipaddress.ip_network(target)
        except ValueError:
            self.name = target.lower().removeprefix("*")        # "*.internal" begins with its dot then

    def matches(self, host, ip, port):
        if self.port and self.port != port:
            return False
        if self.range is not None:
            return ip.version == self.range.version and ip in self.range
        host = host.lower().removesuffix(".")
        return self.is_all or (host.endswith(self.name) and host != self.name if self.name[:1] == "." else host == self.name)

    def is_very(self, ip, port, needs_port):
        return self.range is not None and self.range.num_addresses == 1 and (self.port or not needs_port) and self.matches("", ip, port)


class Rules:
    """said: what reach_json writes."""

    def __init__(self, said):
        self.allow, self.deny = [_Rule(text) for text in said["allow"]], [_Rule(text) for text in said["deny"]]
        self.has_private, self.has_public = said["private"], said["public"]
        self.own = [(ipaddress.ip_address(ip), port) for ip, port in said["own"]]
        self.special = [(ipaddress.ip_network(text), kind) for text, kind in said["special"]]

    def _look_up(self, ip):
        """"metadata", "private", "tunnel", "" of what is closed otherwise; None: it is public."""
        found = [(network.prefixlen, kind) for network, kind in self.special if network.version == ip.version and ip in network]
        return max(found)[1] if found else None

    def _kind(self, ip):
        kind, inner = self._look_up(ip), _inner(ip) if ip.version == 6 else None
        if inner is None:
            return kind
        within = self._look_up(inner)
        return within if within is not None else None if kind == "tunnel" else kind

    def is_open(self, host, ip, port):
        """Whether it may be reached: text/reach.h says in which order. What listens at every address of this machine counts as the
        node's own at every closed one: an index is seldom at that port."""
        if getattr(ip, "ipv4_mapped", None) is not None:
            ip = ip.ipv4_mapped
        kind, inner = self._kind(ip), _inner(ip) if ip.version == 6 else None
        for own, own_port in self.own:
            if own_port == port and (own in (ip, inner) or own.is_unspecified or ip.is_unspecified) and not any(r.is_very(ip, port, True) for r in self.allow):
                return False
        if any(r.matches(host, one, port) for r in self.deny for one in (ip, inner) if one is not None):
            return False
        if kind == "metadata":
            return any(r.is_very(ip, port, False) for r in self.allow)
        if any(r.matches(host, ip, port) for r in self.allow):
            return True
        return self.has_public if kind is None else self.has_private and kind == "private"


def place_of(url):
    """(host, port) of an address, or None."""
    try:
        parts = urlsplit(url if "://" in url else "http://" + url)
        return (parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)) if parts.hostname else None
    except ValueError:
        return None


class Network:
    """said: "network" of a job, see src/packages/packages.h. own: addresses that this process's own environment names."""

    def __init__(self, said, own):
        self.any_index, self.named, self.reach = said["any_index"], [*said["indexes"], *own], said["reach"]

    def may_name(self, url):
        """Whether requirements may name this address: what is below one that the owner has named."""
        return self.any_index or any(_is_below(url, one) for one in self.named)

    def guard(self):
        guard({"reach": self.reach, "named": self.named})

    def environment(self):
        """For pip's process."""
        return {VARIABLE: json.dumps({"reach": self.reach, "named": self.named}), CODE: __loader__.get_source(__name__)}


def _is_below(url, place):
    try:
        a, b = urlsplit(url), urlsplit(place)
    except ValueError:
        return False
    if a.scheme.lower() != b.scheme.lower() or place_of(url) is None or place_of(url) != place_of(place):
        return False
    if re.search(r"(^|/)(\.|%2e){1,2}(/|$)|//|\\|%2f|%5c", a.path, re.IGNORECASE):
        return False            # whom that means is the server's word
    return (a.path.rstrip("/") + "/").startswith(b.path.rstrip("/") + "/")


def guard(said, tells=False):
    """From now on this process connects to nobody else. said: {"reach": ..., "named": [addresses that are the owner's word]}

    tells: on standard error, for pip passes over most of what it cannot reach in silence."""
    rules, here = Rules(said["reach"]), threading.local()
    proxies = [os.environ[name] for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "pip_proxy")]
    named = {place_of(url) for url in [*said["named"], *proxies]}

    def hook(event, args):
        if event == "socket.getaddrinfo":
            here.host = args[0] if isinstance(args[0], str) else ""
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
            if not isinstance(address, tuple):
                return          # of this machine, and no network
            host = getattr(here, "host", "")
            try:
                ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
            except ValueError:
                raise ConnectionRefusedError(111, f"{REFUSED}: {address[0]}") from None
            if (host, address[1]) not in named and (str(ip), address[1]) not in named and not rules.is_open(host, ip, address[1]):
                place = f"{REFUSED}: {host or ip}:{address[1]}"
                if tells:
                    os.write(2, f"\n{place}\n".encode("utf-8", "replace"))
                raise ConnectionRefusedError(111, place)
    sys.addaudithook(hook)


def guard_as_told():
    """In pip's process."""
    said = os.environ.pop(VARIABLE, "")
    if said:
        guard(json.loads(said), tells=True)
