"""Pure rules of customer files: sort keys, list columns, and the way back to an earlier version."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from services.customer.file import errors
from shared.clock import CHINA, day_of
from shared.regime import Use

Json = Any

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    rf"{_DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,9}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})"
)


def name_key(name: str) -> bytes:
    """A sort key: bytes of GB 18030, in which the common characters stand in pinyin order; a prefix stays a prefix."""
    return unicodedata.normalize("NFKC", name).casefold().strip().encode("gb18030")


def after_prefix(key: bytes) -> bytes | None:
    """The least key above every key that begins with `key`; None if there is no such bound."""
    trimmed = key.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None


def columns_of(uses: Mapping[str, Use], values: Mapping[str, Json]) -> dict[str, Json]:
    """The list columns that these values fill; the name comes with its sort key."""
    columns: dict[str, Json] = {use.value: values[code] for code, use in uses.items() if code in values}
    if Use.NAME.value in columns:
        columns["name"] = columns["name"] or ""
        columns["name_key"] = name_key(columns["name"])
    return columns


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that `as_of` names: an instant, or the end of a day in China; of today, it is now.

    Raises: Invalid (bad_as_of, as_of_in_the_future)
    """
    written = text.strip().upper()
    try:
        if _DAY.fullmatch(written):
            moment = _end_of(date.fromisoformat(written), now)
        elif _INSTANT.fullmatch(written):
            moment = datetime.fromisoformat(written).astimezone(UTC)
        else:
            raise errors.bad_as_of(text)
    except (ValueError, OverflowError):
        raise errors.bad_as_of(text) from None
    if moment > now:
        raise errors.in_the_future(text)
    return moment


def _end_of(day: date, now: datetime) -> datetime:
    if day == day_of(now):
        return now
    return datetime.combine(day, time.max, CHINA).astimezone(UTC)


def walked_back(
    values: Mapping[str, Json], later: Iterable[Mapping[str, Mapping[str, Json]]]
) -> dict[str, Json]:  # fmt: skip
    """Values before some changes ({code: {before, after}}, newest first) were made."""
    found = dict(values)
    for change in later:
        for code, each in change.items():
            found[code] = each.get("before")
    return {code: value for code, value in found.items() if value is not None}
