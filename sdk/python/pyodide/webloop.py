"""pyodide.webloop - the event loop under Pyodide's names.

There is one loop in a worker, the instance's, and it always runs: WebLoop() gives that one.
"""
from corral.futures import PyodideFuture, PyodideTask
from corral.loop import WebLoop, WebLoopPolicy

__all__ = ["WebLoop", "WebLoopPolicy", "PyodideFuture", "PyodideTask"]
