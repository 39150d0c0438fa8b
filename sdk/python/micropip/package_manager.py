"""package_manager.py - PackageManager: all that micropip does, with settings of its own."""
import importlib.metadata
import urllib.parse

from corral import entry, pypi, resolve
from corral.packaging import utils
from corral.packaging.version import Version

from . import _fetch, _freeze, _mock_package, _site, _transaction
from ._log import logger, speaking
from ._provider import check_fits
from .package import PackageDict, PackageMetadata

DEFAULT_INDEX_URLS = [pypi.URL]
NAMES = {"PYPI": DEFAULT_INDEX_URLS[0]}     # what may be written instead of an address
VARIABLE = "MICROPIP_INDEX_URLS"            # of the worker: other default indexes, separated by spaces
_VCS = ("git+", "hg+", "svn+", "bzr+")


def default_index_urls():
    """PyPI, or what the worker's variable MICROPIP_INDEX_URLS says."""
    said = getattr(entry.env, VARIABLE, None) if entry.env is not None else None
    return said.split() if isinstance(said, str) and said.strip() else DEFAULT_INDEX_URLS[:]


def _list(value, what):
    """A string, or several, as a list; TypeError in the caller's words."""
    if isinstance(value, str):
        return [value]
    try:
        value = list(value)
    except TypeError:
        value = [None]
    for one in value:
        if not isinstance(one, str):
            raise TypeError(f"{what} is a string or a list of strings, not {type(one).__name__}")
    return value


def requirement(text):
    """The Requirement that a string says: PEP 508's, or the address or path of a wheel.  Raises ValueError."""
    text = text.strip()
    if text.startswith(_VCS):
        raise ValueError(f"{_fetch.shown(text)!r} is the address of a repository, and micropip installs wheels that are built: "
                         "give the address of a wheel, or the name of a package")
    try:
        one, failure = resolve.parse(text), None
    except resolve.ResolveError as e:
        one, failure = None, e
    if one is not None and (one.url or len(one.specifier) or one.extras or one.marker or not text.endswith(".whl")):
        if one.url:
            _check_address(one.url)
        return one
    if not _is_address(text):
        raise failure
    one = resolve.parse(_check_address(text))
    one.url = text
    return one


def _is_address(text):
    try:
        return urllib.parse.urlsplit(text).path.endswith(".whl")
    except ValueError:
        return False


def _check_address(url):
    """Name of the project of the wheel at an address."""
    if not _is_address(url):
        raise ValueError(f"{_fetch.shown(url)!r} is not the address of a wheel: they end with .whl")
    return check_fits(urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2]))[0]


def is_satisfied(one):
    """Is it installed, extras apart?  Quick, for those who call install() in every request."""
    if one.extras:
        return False
    try:
        found = importlib.metadata.distribution(one.name)
        if one.url:
            return found.read_text("PYODIDE_URL") == _fetch.without_login(one.url.partition("#")[0])[0]
        return one.specifier.contains(found.version, prereleases=True)
    except (importlib.metadata.PackageNotFoundError, ValueError, TypeError):
        return False


class PackageManager:
    """Installs packages, with index addresses and constraints of its own.  The functions of `micropip` are those of one instance."""

    def __init__(self, compat=None):
        """compat is taken for the sake of Pyodide's signature, where it is the layer below: here there is one only."""
        self._index_urls = None
        self.constraints = []

    @property
    def index_urls(self):
        """Addresses of the indexes that are asked, in this order."""
        return default_index_urls() if self._index_urls is None else self._index_urls

    @index_urls.setter
    def index_urls(self, urls):
        self._index_urls = urls

    async def install(self, requirements, keep_going=False, deps=True, credentials=None, pre=False, index_urls=None, *,
                      constraints=None, reinstall=False, verbose=None):
        """Install packages and all that they need; they can be imported at once, in this instance.

        requirements: a string or a list: names with versions, extras and markers (PEP 508), addresses of wheels (http:, https:,
        emfs: or file: or a path, for a wheel among the worker's files or in /tmp).  What is installed and meets a requirement stays.
        A package comes from the package set of the worker's compatibility date unless a version is asked for that it does not have;
        else from the first of the indexes that knows it.  When indexes were set, they come before the package set.
        keep_going: go on after a package without a wheel, and tell of all of them at the end.
        deps: also what they need.  credentials: of fetch().  pre: pre-releases too.
        index_urls: addresses of indexes, PEP 503, PEP 691 or PyPI's JSON, with a placeholder {package_name} or without; "PYPI".
        constraints: like pip's: versions for what is installed because something else needs it.
        reinstall: exchange what is installed in a version that does not fit.  verbose: say what is done.

        Raises ValueError when something cannot be found or does not fit together, OSError when an index or a file cannot be had,
        RuntimeError when a file is not what the index says it is.  Then nothing was installed.
        """
        with speaking(verbose):
            wanted = [requirement(text) for text in _list(requirements, "a requirement")]
            wanted = [one for one in wanted if resolve.applies(one)]
            for one in wanted:
                if is_satisfied(one):
                    logger.info("Requirement already satisfied: %s", one)
            wanted = [one for one in wanted if not is_satisfied(one)]
            if not wanted:
                return
            is_set_first = index_urls is None and self._index_urls is None
            urls = [NAMES.get(url, url) for url in _list(self.index_urls if index_urls is None else index_urls, "an index URL")]
            await _transaction.run(wanted, _transaction.Choices(
                keep_going=keep_going, deps=deps, pre=pre, credentials=credentials, reinstall=reinstall, index_urls=urls, is_set_first=is_set_first,
                constraints=_list(self.constraints if constraints is None else constraints, "a constraint")))

    def uninstall(self, packages, *, verbose=False):
        """Remove packages, a name or a list, that were installed in this instance.  Modules that are imported already stay."""
        with speaking(verbose):
            for name in _list(packages, "a package"):
                try:
                    found = importlib.metadata.distribution(name)
                except (importlib.metadata.PackageNotFoundError, ValueError):
                    logger.warning("Skipping '%s' as it is not installed.", name)
                    continue
                logger.info("Found existing installation: %s %s", found.name, found.version)
                said = f"{found.name}-{found.version}"
                if _transaction.remove(found):
                    logger.info("Successfully uninstalled %s", said)
            _site.refresh()

    def list_packages(self):
        """PackageDict of what is installed: by micropip, out of the package set, or as the worker's requirements."""
        found = PackageDict()
        for distribution in _site.installed().values():
            if source := _site.source(distribution):
                found[distribution.name] = PackageMetadata(distribution.name, distribution.version, source)
        return PackageDict(sorted(found.items()))

    def freeze(self):
        """The text of a lock file in the form of pyodide-lock.json, of what is installed and of the package set."""
        return _freeze.freeze()

    def add_mock_package(self, name, version, *, modules=None, persistent=False):
        """Have something that counts as installed under this name, so that it is not looked for when something needs it.

        modules: {name: source, function that is given the new module, or None for an empty one}; one module of the package's name
        when left out.  persistent: as files, in the instance's memory; else without files.
        """
        _mock_package.add(name, version, modules, persistent)

    def list_mock_packages(self):
        """Names of what add_mock_package() added."""
        return _mock_package.names()

    def remove_mock_package(self, name):
        """Remove what add_mock_package() added.  Raises ValueError when it is none, PackageNotFoundError when there is nothing."""
        _mock_package.remove(name)

    def set_index_urls(self, urls):
        """Indexes for later calls of install(): an address or a list.  They come before the package set."""
        self._index_urls = _list(urls, "an index URL")

    def set_constraints(self, constraints):
        """Constraints for later calls of install()."""
        self.constraints = _list(constraints, "a constraint")
