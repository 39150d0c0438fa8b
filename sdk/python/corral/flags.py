"""flags.py - the worker's compatibility date and flags: which of two behaviours it wants.

src/project/flags.c knows the same names and warns of others.
"""
_SINCE = {      # on by itself from this compatibility date on; "": by the flag alone
    "python_workers_20250116": "2025-09-29",
    "python_workers_20260610": "",
    "python_workers_20260817": "",
    "python_workers_force_new_vendor_path": "2025-08-11",
    "python_no_global_handlers": "2025-08-14",
    "python_request_headers_preserve_commas": "2026-02-17",
    "python_workflows_implicit_dependencies": "2026-02-25",
    "enable_python_external_sdk": "2026-04-21",
    "python_process_pth_files": "2026-05-26",
    "websocket_standard_binary_type": "2026-03-17",
    "web_socket_auto_reply_to_close": "2026-04-07",
}
_OPPOSITES = {"web_socket_auto_reply_to_close": "web_socket_manual_reply_to_close"}

date = ""
_names = frozenset()


def set_all(new_date, flags):
    """The worker's: `flags` separated by spaces or commas."""
    global date, _names
    date, _names = new_date, frozenset(flags.replace(",", " ").split())


def is_on(name):
    """Is this behaviour wanted?  Without a compatibility date: the newest is."""
    base = name.removeprefix("enable_")
    if "disable_" + base in _names or "no_" + base in _names or _OPPOSITES.get(name) in _names:
        return False
    if name in _names:
        return True
    since = _SINCE[name]
    return bool(since) and (not date or date >= since)


def is_given(name):
    """Is the flag itself there?"""
    return name in _names
