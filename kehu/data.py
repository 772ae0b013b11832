"""The data directory of one suite: where things lie, who holds it, what runs in it.

Owns the layout below `--data`, the lock that keeps two suites apart, and `run.json`, by which `kehu status` and
`kehu down` find a running suite. Everything in it is readable by its owner alone. Knows no service.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kehu.failure import SuiteFailed


class DataDirectory:
    """Paths and lock of the suite whose data lie in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.postgres = self.path / "postgres"
        self.kafka = self.path / "kafka"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets"
        self.work = self.path / "work"
        self.sample = self.path / "sample"
        self._lock = self.path / "lock"
        self._state = self.path / "run.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the directory, private to its owner, and hold it against a second suite."""
        for folder in (self.path, self.logs, self.secrets, self.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        with self._opened_lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SuiteFailed(f"A suite already runs on {self.path}; stop it with `kehu down`.") from None
            try:
                yield
            finally:
                self._state.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether a suite runs here; a suite that was killed holds nothing."""
        if not self._lock.exists():
            return False
        with self._opened_lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace `run.json` whole."""
        write_private(self._state, json.dumps(state, indent=2))

    def state(self) -> dict[str, Any]:
        """What the suite that runs here last wrote; `SuiteFailed` when none runs or it has only begun."""
        if not self.is_held():
            raise SuiteFailed(f"No suite runs on {self.path}; start it with `kehu up`.")
        try:
            content: dict[str, Any] = json.loads(self._state.read_text())
        except FileNotFoundError:
            raise SuiteFailed(f"The suite on {self.path} is still starting.") from None
        return content

    @contextmanager
    def _opened_lock(self) -> Iterator[int]:
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield lock
        finally:
            os.close(lock)


def write_private(path: Path, text: str) -> None:
    """Write `path` whole or not at all, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.rename(path)
