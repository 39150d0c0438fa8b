# finder.py - modules of the SDK come out of the program itself: the first Python that runs, in every process that has one.
import sys
from importlib.machinery import ModuleSpec

import _corral


class SdkFinder:
    """Finds corral, pyodide and workers among the files carried inside corral-worker."""

    hidden = frozenset()        # names that the project has itself: see corral/vendored.py
    private = frozenset()       # names that are none of a worker's business: a project may have modules of these

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in cls.hidden or top in cls.private:
            return None
        base = "python/" + name.replace(".", "/")
        for file, is_package in ((base + ".py", False), (base + "/__init__.py", True)):
            if _corral.sdk_has(file):
                spec = ModuleSpec(name, cls(file), origin="<corral>/" + file, is_package=is_package)
                return spec
        return None

    def __init__(self, file):
        self.file = file

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(_corral.sdk_code(self.file, "<corral>/" + self.file), module.__dict__)

    def get_source(self, name):
        return _corral.sdk_source(self.file)


sys.meta_path.insert(0, SdkFinder)
sys.dont_write_bytecode = True
