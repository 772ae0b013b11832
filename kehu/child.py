"""Start a program that never outlives the process that started it, and find those that did.

Owns the rules for every child of the suite: its own process group (a Ctrl-C at the terminal reaches the
supervisor alone, which then stops its children in order), no inherited descriptors, files that only their owner
reads, on Linux a signal from the kernel when the parent dies, kill -9 included, and a working directory that no
other program uses, by which a later start recognises what an earlier one left. Called by the supervisor, the
embedded servers and the tests; never watches or restarts anything.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    log: IO[bytes],
    directory: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    when_parent_dies: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in `directory`, both output streams in `log`; as root, `user` names the account to run as."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=directory,
        env=env,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        umask=0o077,
        start_new_session=True,
        preexec_fn=_tie_to_parent(when_parent_dies),  # noqa: PLW1509 - one call, bound before the fork
    )


def stop(processes: Sequence[subprocess.Popen[bytes]], ask: signal.Signals, within_seconds: float) -> None:
    """Send `ask` to all, wait for all, and kill what has not ended by then. Paused ones wake to hear it."""
    for process in processes:
        process.send_signal(ask)
        process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + within_seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_leftovers(directory: Path, ask: signal.Signals = signal.SIGTERM) -> None:
    """End every process that works in `directory` or below, asking first."""
    found = [process for process in psutil.process_iter() if _works_in(process, directory)]
    for signal_number in (signal.SIGCONT, ask, signal.SIGKILL):
        for process in found:
            if process.is_running():
                process.send_signal(signal_number)
        if signal_number != signal.SIGCONT:
            _, found = psutil.wait_procs(found, timeout=10)


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return bool(process.pid != os.getpid() and Path(process.cwd()).is_relative_to(directory.resolve()))
    except psutil.Error:
        return False


def _tie_to_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """Run between fork and exec, after any change of user: the kernel forgets the wish when credentials change."""
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie
