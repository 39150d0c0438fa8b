"""A process of the host that attempts are aimed at.  Says where its memory is, then on each line of its input what reached it."""
import ctypes
import json
import os
import signal
import sys

heard = []
for number in (signal.SIGCONT, signal.SIGIO, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP, signal.SIGURG):
    signal.signal(number, lambda n, frame: heard.append(n))
memory = ctypes.create_string_buffer(b"host memory 4711", 4096)


def state():
    return {"pid": os.getpid(), "address": ctypes.addressof(memory), "memory": memory.value.decode(), "heard": heard,
            "nice": os.getpriority(os.PRIO_PROCESS, 0), "affinity": len(os.sched_getaffinity(0))}


print(json.dumps(state()), flush=True)
for line in sys.stdin:
    print(json.dumps(state()), flush=True)
