"""What programs look at before they do anything."""
import asyncio
import contextlib
import functools
import importlib.metadata
import importlib.resources
import logging
import logging.config
import multiprocessing
import os
import platform
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from pathlib import Path

import certifi
import packaging.version
from packaging.specifiers import SpecifierSet
from pydantic import BaseSettings
from workers import Response, WorkerEntrypoint, env

logging.config.dictConfig({
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "[%(levelname)s] %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stdout"}},
    "loggers": {"sample": {"handlers": ["console"], "level": "DEBUG", "propagate": False}}})
log = logging.getLogger("sample")
lock = threading.Lock()
pool = ThreadPoolExecutor(max_workers=4)


class Settings(BaseSettings):
    message: str = "none"
    number: int = 0

    class Config:
        env_prefix = "SAMPLE_"


@functools.lru_cache
def get_settings():
    os.environ.setdefault("SAMPLE_MESSAGE", env.MESSAGE)
    return Settings(number="7")


def square(n):
    with lock:
        return n * n


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        log.debug("a line of surroundings")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "deep", "a.txt")
            path.parent.mkdir()
            path.write_text("text\n" * 3)
            shutil.copy(path, Path(folder, "b.txt"))
            files = sorted(p.name for p in Path(folder).rglob("*.txt"))
            archive = shutil.make_archive("/tmp/packed", "zip", folder)
            size = os.path.getsize(archive)
        with tempfile.NamedTemporaryFile("w+", suffix=".json", delete=False) as named:
            named.write("{}")
        with sqlite3.connect("/tmp/my.db") if False else sqlite3.connect(":memory:") as db:
            db.execute("CREATE TABLE a (b)")
            db.executemany("INSERT INTO a VALUES (?)", [(1,), (2,)])
            total = db.execute("SELECT sum(b) FROM a").fetchone()[0]
        plugins = {}
        for point in importlib.metadata.entry_points(group="shop.plugins"):
            plugins[point.name] = point.load()(2)
        return Response.json({
            "versions": [importlib.metadata.version("shop-plugins"), packaging.version.Version(importlib.metadata.version("fastapi")) >= packaging.version.Version("0.90"),
                         "3.11" in SpecifierSet(">=3.8")],
            "settings": get_settings().dict(), "files": files, "zip": size > 100, "total": total, "plugins": plugins,
            "pool": sorted(f.result() for f in as_completed([pool.submit(square, n) for n in range(4)])),
            "map": list(pool.map(square, [5, 6])),
            "data": importlib.resources.files("shop_plugins").joinpath("data.txt").read_text(),
            "cpu": multiprocessing.cpu_count() >= 1, "main": multiprocessing.current_process().name, "certifi": os.path.isfile(certifi.where()),
            "platform": [sys.version_info[:2] >= (3, 11), isinstance(platform.python_version(), str)], "cwd": isinstance(os.getcwd(), str)})
