"""A suite under test, driven as a person would: by the `kehu` command in processes of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.factories.ports import free_block


class Suite:
    """The command line, against one data directory and some of the services; `settings` are environment variables."""

    def __init__(self, data: Path, services: Sequence[str], *, bus: str = "postgres", **settings: str) -> None:
        self.data = data
        self.services = services
        self.bus = bus
        self.environment = {**os.environ, **settings}  # noqa: TID251 - children inherit what the test run has
        self.port_base = free_block(16)

    def kehu(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kehu", *arguments, "--data", str(self.data)]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=240, env=self.environment)

    def up(self, *options: str) -> subprocess.CompletedProcess[str]:
        only = [part for name in self.services for part in ("--only", name)]
        return self.kehu("up", "--detach", *only, "--bus", self.bus, "--port-base", str(self.port_base), *options)

    def status(self) -> dict[str, Any]:
        return self.json("status")

    def json(self, *arguments: str) -> Any:
        """What a command prints with --json; it must succeed."""
        done = self.kehu(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def pids(self) -> list[int]:
        state = self.status()
        servers = [server["pid"] for server in state["servers"].values()]
        return servers + [role["pid"] for service in state["services"].values() for role in service["roles"].values()]


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
