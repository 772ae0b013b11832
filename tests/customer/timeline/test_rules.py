"""How the lines of many sources become one list, page by page: nothing lost, nothing twice."""

from datetime import UTC, datetime, timedelta

import pytest

from services.customer.file.related import Happening
from services.customer.timeline import rules
from services.customer.timeline.rules import FILE, Line, Position

START = datetime(2026, 11, 30, 8, tzinfo=UTC)
VERSIONS = range(9, 0, -1)
SECONDS = (9, 5, 6, 5, 4, 3, 2, 2, 1)


def happening(seconds: int, record: str) -> Happening:
    return Happening(START + timedelta(seconds=seconds), "x.happened", "staff/a", record, {})


SOURCES = {
    FILE: [happening(second, str(version)) for version, second in zip(VERSIONS, SECONDS, strict=True)],
    "dealings": [happening(5, f"d{number}") for number in range(7)] + [happening(1, "d7")],
    "photo": [happening(6, "p0"), happening(5, "p1"), happening(5, "p2"), happening(0, "p3")],
}
"""Newest first; versions 8 and 7 were made by two changes that waited for each other."""


def page(position: Position, limit: int) -> list[Line]:
    """As the service asks: each source from where the reader stands."""
    found = {}
    for name, told in SOURCES.items():
        if name == FILE:
            shown = [each for each in told if int(each.record) < position.version]
        else:
            before, seen = position.before(name)
            shown = [each for each in told if each.at < before][: limit + seen][seen:]
        found[name] = rules.lines(name, shown, position)
    return rules.merged(found, limit)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 50])
def test_pages_of_any_length_show_every_line_once_in_the_same_order(limit: int) -> None:
    position, seen = Position(), []
    while found := page(position, limit):
        for line in found:
            position = position.after(line)
            seen.append((line.source, line.told.record))
        read = rules.read(*rules.written(position))
        assert read == position
    assert seen == [(line.source, line.told.record) for line in page(Position(), 1000)]
    assert len(seen) == len(set(seen)) == sum(map(len, SOURCES.values()))
    assert [record for source, record in seen if source == FILE] == [str(version) for version in range(9, 0, -1)]


@pytest.mark.parametrize(
    "keys", [("soon", "photo", 1, 5), ("2026-11-30T08:00:00", "", 1, 5), ("9999-12-31T00:00:00+00:00", "", 1, 5),
             ("2026-11-30T08:00:00+00:00", "", 0, 5), ("2026-11-30T08:00:00+00:00", "", 1, 0)],
)  # fmt: skip
def test_what_no_timeline_wrote_is_no_position(keys: tuple[str, str, int, int]) -> None:
    assert rules.read(*keys) is None
