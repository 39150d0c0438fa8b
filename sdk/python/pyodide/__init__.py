"""The part of Pyodide's Python API that workers use, on Corral's bridge."""
__version__ = "0.26.0a2"
