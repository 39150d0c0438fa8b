"""cloudflare_list.py - what Python workers had built in on Cloudflare, by compatibility date.

The versions are those of Cloudflare's list of built-in packages for compatibility dates of 2024 (Pyodide 0.26, which goes up to
2025-09-28). For later dates (Pyodide 0.28) there is no such list: packages are listed in pyproject.toml, and brought along.
"""

_VERSIONS_2024 = {
    "aiohttp": "3.9.3",
    "aiosignal": "1.3.1",
    "annotated-types": "0.6.0",
    "anyio": "4.2.0",
    "async-timeout": "4.0.3",
    "attrs": "23.2.0",
    "certifi": "2024.2.2",
    "charset-normalizer": "3.3.2",
    "distro": "1.9.0",
    "fastapi": "0.110.0",
    "frozenlist": "1.4.1",
    "h11": "0.14.0",
    "httpcore": "1.0.4",
    "httpx": "0.27.0",
    "idna": "3.6",
    "jsonpatch": "1.33",
    "jsonpointer": "2.4",
    "langchain": "0.1.8",
    "langchain-core": "0.1.25",
    "langchain-openai": "0.0.6",
    "langsmith": "0.1.5",
    "multidict": "6.0.5",
    "numpy": "1.26.4",
    "openai": "1.12.0",
    "packaging": "23.2",
    "pydantic": "2.6.1",
    "pydantic-core": "2.16.2",
    "pyyaml": "6.0.1",
    "regex": "2023.12.25",
    "requests": "2.31.0",
    "six": "1.16.0",
    "sniffio": "1.3.0",
    "starlette": "0.36.3",
}

# Of that list, but of the platform and of Python itself: hashlib, lzma, micropip, openssl, pydecimal, pydoc-data, sqlite3, ssl.


class Era:
    """Compatibility dates with the same packages. name: of their set. since, until: see src/packages/packages.h.
    versions: {name: version}, or None: there were none that one could list. made: the day of the list."""

    def __init__(self, name, since, until, versions, made=""):
        self.name, self.since, self.until, self.versions, self.made = name, since, until, versions, made


ERAS = (
    Era("cloudflare-2024-03", "", "2025-09-28", _VERSIONS_2024, "2024-03-31"),
    Era("cloudflare-2025-09", "2025-09-29", "", None),
)


def of_date(date):
    """The Era of a compatibility date."""
    return next(era for era in ERAS if era.since <= date and (not era.until or date <= era.until))
