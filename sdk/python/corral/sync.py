"""sync.py - waiting in plain functions: what others make of run_sync."""
import asyncio
import threading

import _corral

completes = True        # whether run_until_complete() waits, as of newer dates: set by load.py


def run_until_complete(future):
    return _corral.run_sync(future) if completes else asyncio.ensure_future(future)


def sleep(seconds):
    """Whether it has waited without stopping anybody else."""
    if not isinstance(seconds, (int, float)) or not seconds > 0 or not _corral.can_run_sync():
        return False
    try:
        _corral.run_sync(asyncio.sleep(seconds))
    except RuntimeError:    # as many as may wait do
        return False
    return True


def adopt_thread():
    """This thread stands in for the main one, which waits; called by the interpreter."""
    threading._active[threading.get_ident()] = threading.main_thread()
