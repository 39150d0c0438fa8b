"""The inside of Corral's Python: workers import js, pyodide and workers instead."""
