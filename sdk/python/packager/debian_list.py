"""debian_list.py - which of Debian's Python packages are built in, by their names on the index.

What they need comes with them. The list is what people use in workers, and what Cloudflare had built in as far as Debian
has it; it is short so that a set is made in seconds. uvicorn is in it for those who list it beside FastAPI, which Debian's FastAPI
brings it for: a worker needs no server, and imports it all the same. script/packages installs the Debian packages.
"""

RECIPE = 2      # one more when what is made of the same packages changes: `corral packages sync debian` then makes it anew

DISTRIBUTIONS = (
    "aiohttp",
    "asgiref",
    "attrs",
    "beautifulsoup4",
    "certifi",
    "chardet",
    "distro",
    "django",
    "fastapi",
    "flask",
    "html5lib",
    "httpx",
    "itsdangerous",
    "jinja2",
    "lxml",
    "numpy",
    "packaging",
    "pillow",
    "pydantic",
    "pygments",
    "pyjwt",
    "python-multipart",
    "pyyaml",
    "requests",
    "six",
    "starlette",
    "typing-extensions",
    "uvicorn",
    "werkzeug",
)

# Debian's `Depends` adds these for scripts and entry points of the system, which a set has none of.
NOT_FOLLOWED = frozenset({"python3-pkg-resources", "python3-setuptools", "python3-uvicorn", "python3-pip", "python3-wheel"})
