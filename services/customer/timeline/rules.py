"""Where a reader stands in a timeline, and how the lines of many sources become one. Pure.

Every source gives its lines newest first. Lines of one moment stand in order of their sources' names, versions of the
file before all others; those of one source in the order in which it gave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.customer.file.related import Happening

FILE = ""
"""The source of the versions of the file; their record is the version."""
_END = datetime(9999, 1, 1, tzinfo=UTC)
_NEWEST = 2**31 - 1
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a happening and who tells it. `key` is its place in time.

    That is its moment, but for a version of the file that was made a moment before the one below it, as two changes
    may that waited for each other: versions keep their order.
    """

    key: datetime
    source: str
    told: Happening


@dataclass(frozen=True, slots=True)
class Position:
    """Behind the last line that was shown: its key and source, how many of that source and key were shown, and the
    lowest version of the file that was."""

    key: datetime = _END
    source: str = FILE
    seen: int = 0
    version: int = _NEWEST

    def after(self, line: Line) -> Position:
        """Behind one more line."""
        again = (line.key, line.source) == (self.key, self.source)
        version = int(line.told.record) if line.source == FILE else self.version
        return Position(line.key, line.source, self.seen + 1 if again else 1, version)

    @property
    def by(self) -> datetime | None:
        """The moment by which the next version was made, if none was shown so far; what came later came later."""
        return self.key if self.version == _NEWEST and self.key != _END else None

    def before(self, source: str) -> tuple[datetime, int]:
        """The moment before which a source has lines to show, and how many of the first ones were shown."""
        if source < self.source or self.key == _END:
            return self.key, 0
        return self.key + _TICK, self.seen if source == self.source else 0


def lines(source: str, told: Iterable[Happening], position: Position) -> list[Line]:
    """The lines of a source, with keys that never rise."""
    found, key = [], position.key
    for each in told:
        key = min(key, each.at)
        found.append(Line(key, source, each))
    return found


def merged(sources: Mapping[str, Sequence[Line]], limit: int) -> list[Line]:
    """The first lines of all sources together."""
    found = [line for source in sorted(sources) for line in sources[source]]
    return sorted(found, key=lambda line: line.key, reverse=True)[:limit]


def written(position: Position) -> tuple[Any, ...]:
    """A position as the keys of a cursor."""
    return position.key.isoformat(), position.source, position.seen, position.version


def read(key: str, source: str, seen: int, version: int) -> Position | None:
    """The inverse of `written`; None if no timeline wrote it."""
    try:
        moment = datetime.fromisoformat(key)
    except ValueError:
        return None
    is_sane = moment.tzinfo is not None and 0 < seen < _NEWEST and 0 < version <= _NEWEST and moment < _END
    return Position(moment, source, seen, version) if is_sane else None
