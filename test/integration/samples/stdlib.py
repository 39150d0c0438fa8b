"""What people use of the standard library."""
import base64
import binascii
import bisect
import calendar
import collections
import csv
import datetime
import decimal
import difflib
import email.message
import enum
import fractions
import functools
import gzip
import hashlib
import heapq
import html
import html.parser
import io
import ipaddress
import itertools
import json
import locale
import logging
import lzma
import bz2
import math
import operator
import pathlib
import pickle
import platform
import pprint
import random
import re
import secrets
import sqlite3
import statistics
import string
import struct
import sys
import tempfile
import textwrap
import time
import tomllib
import traceback
import typing
import unicodedata
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree as ET
import zipfile
import zlib
import zoneinfo

from js import Response


class Colour(enum.Enum):
    RED = "red"


async def on_fetch(request):
    db = sqlite3.connect(":memory:")
    db.execute("create table t (a integer, b text)")
    db.executemany("insert into t values (?, ?)", [(1, "x"), (2, "y")])
    out = io.StringIO()
    writer = csv.DictWriter(out, ["a", "b"])
    writer.writeheader()
    writer.writerows({"a": a, "b": b} for a, b in db.execute("select * from t order by a desc"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("a.txt", "inside")
    when = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    tree = ET.fromstring("<rss><item><title>One</title></item><item><title>Two</title></item></rss>")
    value = {
        "csv": out.getvalue(),
        "zip": zipfile.ZipFile(io.BytesIO(packed.getvalue())).read("a.txt").decode(),
        "utc": when.astimezone(datetime.timezone.utc).isoformat(),
        "now": datetime.datetime.now(datetime.timezone.utc).year >= 2024,
        "titles": [t.text for t in tree.iter("title")],
        "decimal": str(decimal.Decimal("0.1") + decimal.Decimal("0.2")),
        "mean": statistics.mean([1, 2, 3, 4]),
        "uuid": uuid.UUID(str(uuid.uuid4())).version,
        "uuid5": str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")),
        "token": len(secrets.token_hex(8)),
        "choice": random.choice([1]),
        "gzip": gzip.decompress(gzip.compress(b"abc")).decode(),
        "lzma": lzma.decompress(lzma.compress(b"abc")).decode() + bz2.decompress(bz2.compress(b"d")).decode(),
        "toml": tomllib.loads("a = 1"),
        "quote": urllib.parse.quote("a b/ü"),
        "html": html.escape("<a>"),
        "enum": Colour("red").name,
        "pickle": pickle.loads(pickle.dumps({"a": (1, 2)}))["a"][1],
        "ip": ipaddress.ip_address("10.0.0.1").is_private,
        "blake": hashlib.blake2b(b"a", digest_size=4).hexdigest(),
        "md5": hashlib.md5(b"a").hexdigest(),
        "pbkdf2": hashlib.pbkdf2_hmac("sha256", b"p", b"s", 10).hex()[:8],
        "strftime": when.strftime("%A %d %B %Y"),
        "timezone": time.strftime("%Z", time.gmtime(0)),
        "local": datetime.datetime.fromtimestamp(0).isoformat(),
    }
    return Response.new(json.dumps(value))
