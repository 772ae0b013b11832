"""Who is in a change-over, who has confirmed, who is still to come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.identity.custody.rules import Change, Confirmation, Part, State, Wish

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
CHANGE = Change(
    UUID(int=1), Wish("report_entry", "branch", "lin", "he", "fang"), "staff/wei", NOW, NOW + timedelta(days=3)
)
pytestmark = pytest.mark.req("R4.5")


def confirmed(*parts: Part) -> Change:
    return replace(CHANGE, confirmations=tuple(Confirmation(part, NOW, "hash") for part in parts))


def test_the_supervisor_is_the_last_who_is_outstanding() -> None:
    assert CHANGE.outstanding == (Part.LEAVER, Part.SUCCESSOR, Part.SUPERVISOR)
    assert confirmed(Part.SUCCESSOR).outstanding == (Part.LEAVER, Part.SUPERVISOR)
    assert confirmed(*Part).outstanding == ()


def test_without_a_leaver_two_confirm() -> None:
    vacant = replace(CHANGE, wish=replace(CHANGE.wish, leaver=None))
    assert vacant.outstanding == (Part.SUCCESSOR, Part.SUPERVISOR)
    assert vacant.part_of("staff/None") is None


def test_only_the_people_who_are_named_have_a_part() -> None:
    found = [CHANGE.part_of(f"staff/{name}") for name in ("lin", "he", "fang", "wei")]
    assert found == [Part.LEAVER, Part.SUCCESSOR, Part.SUPERVISOR, None]
    assert CHANGE.part_of("client/lin") is None


def test_each_step_is_of_whoever_took_it() -> None:
    assert CHANGE.done == {"custody.propose": "staff/wei"}
    assert confirmed(Part.LEAVER).done == {"custody.propose": "staff/wei", "custody.hand_over": "staff/lin"}


def test_it_is_over_at_the_moment_at_which_its_time_is_up() -> None:
    end = CHANGE.expires_at
    assert [CHANGE.state_at(end - timedelta(microseconds=1)), CHANGE.state_at(end)] == [State.OPEN, State.EXPIRED]
    assert replace(CHANGE, state=State.DONE).state_at(end) is State.DONE


def test_a_hash_is_never_printed() -> None:
    assert "hash" not in repr(confirmed(*Part))
