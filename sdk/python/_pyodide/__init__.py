"""The names inside of Pyodide that annotations of bind_sig() are taken from."""
