"""Which line counts, what is flagged and what a contact needs: pure."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.customer.contact.rules import Demands, Direction, LineState, Said, demands, faults, flags, line_state
from shared.events import HeldLine, Standing
from shared.regime import Contact, load
from tests.factories.regimes import REGIMES

KINDS = {each.id: each for each in load(REGIMES).all(Contact, on=date(2026, 11, 24))}
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CALL = Said("call", NOW, ("a",), Direction.OUT, {"summary": "问价"}, line="1")
PLAIN = Demands(first=False, staff=1, says=("summary",), care=None)


def person(name: str, *lines: HeldLine) -> dict[str, Standing]:
    standing = Standing(name=name, unit="u", state="active", first_day=date(2026, 1, 1), version=1, lines=lines)
    return {name: standing}


def held(key: str, channel: str = "phone", until_on: date | None = None) -> HeldLine:
    return HeldLine(id=key, channel=channel, from_on=date(2026, 1, 1), until_on=until_on)


@pytest.mark.req("R7.1")
@pytest.mark.parametrize(
    ("said", "people", "state"),
    [
        (CALL, person("a", held("1")), LineState.ASSIGNED),
        (CALL, person("a", held("1", until_on=date(2026, 11, 24))), LineState.ASSIGNED),
        (CALL, person("a", held("1", until_on=date(2026, 11, 23))), LineState.UNASSIGNED),
        (CALL, person("a", held("1", channel="fax")), LineState.UNASSIGNED),
        (CALL, person("a", held("2")), LineState.UNASSIGNED),
        (CALL, person("a") | person("b", held("1")), LineState.UNASSIGNED),
        (replace(CALL, staff=("a", "b")), person("a") | person("b", held("1")), LineState.ASSIGNED),
        (replace(CALL, line=None, number="139"), person("a", held("1")), LineState.UNASSIGNED),
        (CALL, {}, LineState.UNCHECKED),
        (replace(CALL, line=None, number="139"), {}, LineState.UNASSIGNED),
    ],
)
def test_a_line_counts_if_it_was_assigned_that_day_to_somebody_who_took_part(
    said: Said, people: dict[str, Standing], state: LineState
) -> None:
    assert line_state(KINDS["call"], said, people) is state
    assert flags(said, state, PLAIN) == (("line",) if state is LineState.UNASSIGNED else ())


@pytest.mark.req("R7.1")
def test_what_needs_no_line_has_none() -> None:
    assert line_state(KINDS["letter"], replace(CALL, kind="letter", line=None), {}) is None


@pytest.mark.req("R5.6")
@pytest.mark.parametrize(
    ("kind", "first", "new", "staff"),
    [("visit", True, False, 2), ("visit", False, False, 1), ("visit", False, True, 2), ("call", True, True, 1)],
)
def test_how_many_take_part(kind: str, first: bool, new: bool, staff: int) -> None:
    found = demands(KINDS[kind], first=first, important=new, new=new, staff=2 if new else 0)
    assert found.staff == staff
    assert ("report" in found.says) is new


@pytest.mark.req("R5.5")
def test_only_an_important_customer_is_owed_more_than_a_reception() -> None:
    given = {"first": False, "new": False, "staff": 0}
    assert demands(KINDS["reception"], important=True, **given).care == "vip"  # type: ignore[arg-type]
    assert demands(KINDS["reception"], important=False, **given).care is None  # type: ignore[arg-type]
    assert demands(KINDS["visit"], important=True, **given).care is None  # type: ignore[arg-type]


@pytest.mark.req("R5.3")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (replace(CALL, line=None), [("/line", "required")]),
        (replace(CALL, number="139"), [("/line", "not_both")]),
        (replace(CALL, care="vip"), [("/care", "not_kept")]),
        (replace(CALL, record={}), [("/record/summary", "required")]),
        (replace(CALL, record={"summary": " "}), [("/record/summary", "required")]),
        (replace(CALL, record={"summary": "x" * 2001}), [("/record/summary", "too_long")]),
        (replace(CALL, record={"summary": "x", "weather": "y"}), [("/record/weather", "unknown_particular")]),
        (replace(CALL, staff=("gone",)), [("/staff/0", "unknown_person")]),
        (replace(CALL, at=datetime(2026, 11, 25, tzinfo=UTC)), [("/at", "in_the_future")]),
        (CALL, []),
    ],
)
def test_what_a_call_cannot_be(said: Said, expected: list[tuple[str, str]]) -> None:
    found = faults(KINDS["call"], said, PLAIN, (), person("a", held("1")), NOW)
    assert [(each.pointer, each.code) for each in found] == expected
