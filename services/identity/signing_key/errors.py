"""Refusals about signing keys."""

from datetime import datetime

from shared.errors import Conflict


def rotation_pending(active_from: datetime) -> Conflict:
    detail = f"A new key is published already and signs from {active_from.isoformat(timespec='seconds')} on."
    return Conflict("rotation_pending", detail, members={"active_from": active_from})
