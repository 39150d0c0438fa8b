"""micropip - install packages while the worker runs: await micropip.install("snowballstemmer").

The names, arguments, messages and the order in which places are looked at are those of Pyodide's micropip (0.10).  What differs
is what there is here: wheels for this platform are installed as well as pure ones, and packages are unpacked into a place in the
instance's own memory: what one instance installs, others do not have, and it ends with the instance.
"""
from .package import PackageDict, PackageMetadata
from .package_manager import PackageManager

__version__ = "0.10.1"
__all__ = ["PackageDict", "PackageManager", "PackageMetadata", "__version__", "add_mock_package", "freeze", "install", "list",
           "list_mock_packages", "remove_mock_package", "set_constraints", "set_index_urls", "uninstall"]

_manager = PackageManager()

install = _manager.install
uninstall = _manager.uninstall
list = _manager.list_packages
freeze = _manager.freeze
add_mock_package = _manager.add_mock_package
list_mock_packages = _manager.list_mock_packages
remove_mock_package = _manager.remove_mock_package
set_index_urls = _manager.set_index_urls
set_constraints = _manager.set_constraints
