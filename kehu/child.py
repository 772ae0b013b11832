"""Start a program that never outlives the process that started it.

Owns the one rule for every child of the suite: own process group (a Ctrl-C at the terminal reaches the
supervisor alone, which then stops its children in order), no inherited descriptors, and on Linux a signal
from the kernel when the parent dies, kill -9 included. Called by the supervisor, the embedded servers and the
tests; never watches or restarts anything.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    log: IO[bytes],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    when_parent_dies: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` with both output streams in `log`; as root, `user` names the account to run as."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        start_new_session=True,
        preexec_fn=_tie_to_parent(when_parent_dies),  # noqa: PLW1509 - one call, bound before the fork
    )


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
