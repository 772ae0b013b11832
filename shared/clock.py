"""The only place that reads the wall clock. Doors call it and pass the time on; rules take time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one permitted reading of the clock


def local_date_of(moment: datetime) -> str:
    """The Chinese calendar day of an aware moment, ISO 8601."""
    return moment.astimezone(CHINA).date().isoformat()
