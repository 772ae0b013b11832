"""What the supervisor starts and watches: service processes beside the embedded servers, and when to start one again.

Restart is by exponential backoff; a program that ran well for a minute begins afresh. Decides nothing about order.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import httpx

from kehu.child import spawn
from kehu.failure import SuiteFailed
from kehu.plan import PROJECT

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_RAN_WELL_S: Final = 60.0


class Program(Protocol):
    """Something that runs as one process."""

    @property
    def pid(self) -> int | None:
        """None when it does not run."""

    def start(self) -> None:
        """Start it; `SuiteFailed` when that is impossible now."""


class ServiceProcess:
    """One role of one service; `environment` is added to the supervisor's own."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, url: str, directory: Path, log: Path
    ) -> None:
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command
        self._environment = environment
        self._url = url
        self._directory = directory

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self.log.touch(mode=0o600)
        inherited = os.environ  # noqa: TID251 - proxies, log levels and the like are for the services to read
        environment = {**inherited, **self._environment, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as log:
            self.process = spawn(self._command, log=log, directory=self._directory, env=environment)

    def is_ready(self) -> bool:
        """Whether database, bus and regimes are usable, as the process itself says."""
        return is_ready(self._url)


def is_ready(url: str) -> bool:
    """Ask the process at `url`."""
    try:
        return httpx.get(f"{url}/readyz", timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@dataclass
class Watched:
    """A program with its restarts; `look` is called again and again."""

    name: str
    program: Program
    restarts: int = 0
    _pause_s: float = field(default=_FIRST_PAUSE_S, init=False)
    _started_at: float = field(default=0.0, init=False)
    _due_at: float | None = field(default=None, init=False)

    def start(self, at: float) -> None:
        """Start it for the first time; `at` in seconds of a monotonic clock."""
        self._started_at = at
        self.program.start()

    def look(self, at: float) -> str | None:
        """Start it again when it has ended and its pause is over; what happened, if anything."""
        if self.program.pid is not None:
            return None
        if self._due_at is None:
            return self._plan_restart(at, "ended")
        if at < self._due_at:
            return None
        self.restarts += 1
        self._due_at = None
        try:
            self.start(at)
        except SuiteFailed as problem:
            return self._plan_restart(at, f"cannot start: {problem}")
        return "started again"

    def _plan_restart(self, at: float, why: str) -> str:
        if at - self._started_at >= _RAN_WELL_S:
            self._pause_s = _FIRST_PAUSE_S
        pause, self._pause_s = self._pause_s, min(self._pause_s * 2, _LONGEST_PAUSE_S)
        self._due_at = at + pause
        return f"{why}; again in {pause:g} s"
