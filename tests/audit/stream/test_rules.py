"""What of an entry is shown to whom: members that tell a value obey the action that shows it at its owner."""

from pathlib import Path
from typing import Any

import pytest

from services.audit.stream.rules import content_of
from shared.auth import Power, Principal, Scope
from shared.events import EVENTS
from shared.regime import Resource, Secrecy, load
from tests.factories.audit import AT, changed, grade_changed, stored

REGIMES = Path(__file__).parents[3] / "regimes"
SHOWN_BY = [(each.type, name, act) for each in EVENTS.values() for name, act in each.shown_by.items()]


def reading(scope: Scope | None) -> Principal:
    """Who may see grades so far."""
    powers = {} if scope is None else {"customer.grade.read": (Power("r", scope, Secrecy.INTERNAL),)}
    return Principal("a", "staff/a", "u", (), powers, 0.0, "token")


@pytest.mark.parametrize(("event_type", "member", "action"), SHOWN_BY)
def test_a_guarded_member_is_there_and_so_is_its_action(event_type: str, member: str, action: str) -> None:
    assert member in EVENTS[event_type].model_fields
    resource, _, verb = action.partition(".")
    assert verb in load(REGIMES).get(Resource, resource, on=AT.date()).actions


@pytest.mark.req("R2.2")
@pytest.mark.parametrize(
    ("scope", "is_shown"),
    [
        (Scope(everything=True), True),
        (Scope(units=frozenset({"unit-1"})), True),
        (Scope(units=frozenset({"unit-2"})), False),
        (None, False),
    ],
)
def test_a_grade_is_shown_within_reach(scope: Scope | None, is_shown: bool) -> None:
    content = content_of(stored(grade_changed(before="C")), reading(scope))
    hidden = ("before", "grade", "override", "digest")
    seen = {name: value for name, value in content.data.items() if name in hidden and value is not None}
    assert (seen, content.withheld) == (({"before": "C", "grade": "B"}, ()) if is_shown else ({}, hidden))


@pytest.mark.parametrize("data", [{}, {"grade": "B", "unit": ["unit-1"], "manager": {"a": 1}}, {"unit": 1}])
def test_data_of_any_shape_is_withheld_and_breaks_nothing(data: dict[str, Any]) -> None:
    content = content_of(stored(grade_changed(), data=data), reading(Scope(units=frozenset({"unit-1"}))))
    assert (content.withheld, "grade" in content.data) == (("grade",) if "grade" in data else (), False)


def test_an_event_that_tells_no_value_is_shown_to_every_reader() -> None:
    content = content_of(stored(changed()), reading(None))
    assert (content.withheld, content.data["unit"]) == ((), "unit-1")
