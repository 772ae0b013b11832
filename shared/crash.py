"""Named crash points: `KEHU_CRASH=name:n` ends the process, without any clean-up, at the n-th passage of `name`.

A crash point stands between two durable effects; the reliability tests die at each (design: reliability).
The variable is honoured only where KEHU_TEST_BUILD=1 is set too, so that no stray variable ends a production process.
"""

from __future__ import annotations

import os
import signal

POINTS: dict[str, str] = {
    "writer.before_commit": "HTTP door: effects and outbox row written, COMMIT not yet sent",
    "writer.after_commit": "HTTP door: committed, answer not yet sent",
    "relay.after_read": "relay: rows read from the outbox, nothing published",
    "relay.after_publish": "relay: broker has acknowledged, rows still in the outbox",
    "relay.after_delete": "relay: rows deleted, deletion committed",
    "consumer.after_fetch": "consumer: events in memory, no transaction yet",
    "consumer.before_commit": "consumer: effects and offset written, COMMIT not yet sent",
    "consumer.after_commit": "consumer: committed, next poll not yet asked",
    "consumer.after_dead_letter": "consumer: a poison event parked together with its offset",
    "job.before_commit": "job: effects written, COMMIT not yet sent",
    "job.after_commit": "job: committed, next round not yet asked",
    "import.staged": "import: the checked rows of one step are stored, the next step not begun",
    "import.step_applied": "import: customers of one step stored with their events, the next step not begun",
    "import.before_verdict": "import: all rows checked, the verdict not yet stored",
    "handover.batch_moved": "hand-over: the files of one batch changed, the next ones and the hand-over itself not yet",
    "redrive.before_commit": "re-drive: effect written and dead letter removed, COMMIT not yet sent",
    "storage.after_object": "an object written to its storage, the row that names it not yet",
    "audit.append.before_commit": "log writer: entries, leaves, tiles, head and offsets written, COMMIT not yet sent",
    "audit.append.after_commit": "log writer: committed, readers not yet woken",
    "audit.checkpoint.before_commit": "checkpoint publisher: signed, not yet stored",
    "audit.checkpoint.after_commit": "checkpoint publisher: stored, not yet announced",
}
"""Every crash point of the suite; the reliability tests enumerate this table: a new point is tested by being listed."""


class _Armed:
    """The point at which this process shall die, if any, and how many passages are left."""

    name: str | None = None
    left: int = 0


def arm(spec: str | None) -> None:
    """Arm `name:n` (n defaults to 1), or disarm with None."""
    _Armed.name, _Armed.left = None, 0
    if spec:
        name, _, count = spec.partition(":")
        if name not in POINTS:
            raise ValueError(f"KEHU_CRASH names {name!r}; known points: {', '.join(POINTS)}")
        _Armed.name, _Armed.left = name, int(count or "1")


def point(name: str) -> None:
    """Die here if this point is armed and its turn has come; else nothing."""
    if _Armed.name is None or name != _Armed.name:
        return
    _Armed.left -= 1
    if _Armed.left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


if os.environ.get("KEHU_TEST_BUILD") == "1":  # noqa: TID251 - before any settings exist
    arm(os.environ.get("KEHU_CRASH"))  # noqa: TID251
