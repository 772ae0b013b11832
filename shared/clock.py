"""The only place that reads the wall clock. Doors call it and pass the time on; rules take time as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one permitted reading of the clock


def day_of(moment: datetime) -> date:
    """The day in China, by which measures take effect and everything dated begins and ends."""
    return moment.astimezone(CHINA).date()
