"""Declared approvals, applied: any, all, one after the other; never one person twice; the next level if needed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.approvals import Approvers, Given, Procedure, in_charge
from shared.auth import Authenticator, Roster
from shared.errors import Conflict, Forbidden
from shared.regime import Approval, load
from shared.settings import ServiceSettings
from tests.factories.regimes import REGIMES

pytestmark = pytest.mark.req("R7.2")
REGIME_FILES = load(REGIMES)
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
TEXT = {"zh": "试", "en": "Test"}
NEAR, FAR = "department_manager", "general_manager"


def step(name: str, *roles: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "label": TEXT, "roles": roles or (NEAR,), **more}


def procedure(mode: str, *steps: dict[str, Any], facts: dict[str, Any] | None = None) -> Procedure:
    known = {"id": "test", "title": TEXT, "requirement": "R7.2", "effective_from": "2025-01-01", "owner": "admin"}
    rest = {"action": "registration.approve", "facts": {"amount": "money"}, "mode": mode, "examples": [{}, {}]}
    return Procedure(Approval.model_validate({**known, **rest, "steps": steps}), facts or {})


def agree(matter: Procedure, given: list[Given], who: str, *roles: str, there: bool | None = True) -> str:
    found = matter.step_for(who, roles, given, lambda _role: there)
    given.append(Given(found.id, who))
    return found.id


def test_one_after_the_other_each_has_its_turn() -> None:
    matter, given = procedure("sequential", step("first"), step("second", FAR)), list[Given]()
    assert [each.id for each in matter.open(given)] == ["first"]
    with pytest.raises(Forbidden) as early:
        agree(matter, given, "staff/gm", FAR)
    assert (early.value.code, early.value.members["roles"]) == ("not_in_charge", [NEAR])
    assert agree(matter, given, "staff/a", NEAR) == "first"
    assert not matter.is_complete(given)
    assert agree(matter, given, "staff/gm", FAR) == "second"
    assert (matter.is_complete(given), matter.open(given)) == (True, ())
    with pytest.raises(Conflict, match="approved_already"):
        agree(matter, given, "staff/b", NEAR)


def test_all_in_whatever_order() -> None:
    matter, given = procedure("all", step("one"), step("other", FAR)), list[Given]()
    assert agree(matter, given, "staff/gm", FAR) == "other"
    assert [each.id for each in matter.open(given)] == ["one"]
    assert agree(matter, given, "staff/a", NEAR) == "one"
    assert matter.is_complete(given)


def test_any_one_of_them() -> None:
    matter, given = procedure("any", step("one"), step("other", FAR)), list[Given]()
    assert [each.id for each in matter.open(given)] == ["one", "other"]
    assert agree(matter, given, "staff/gm", FAR) == "other"
    assert matter.is_complete(given)


def test_a_step_may_need_several_people_and_nobody_counts_twice() -> None:
    matter, given = procedure("all", step("both", needed=2), step("last", NEAR)), list[Given]()
    assert agree(matter, given, "staff/a", NEAR) == "both"
    with pytest.raises(Forbidden, match="same_person"):
        agree(matter, given, "staff/a", NEAR)
    assert agree(matter, given, "staff/b", NEAR) == "both"
    assert agree(matter, given, "staff/c", NEAR) == "last"
    assert matter.is_complete(given)


@pytest.mark.parametrize(("facts", "steps"), [
    ({"amount": "100.00"}, ["always"]),
    ({"amount": "5000.00"}, ["always", "large"]),
    ({}, ["always", "large"]),
])  # fmt: skip
def test_a_step_is_left_out_only_where_its_condition_is_known_to_be_false(
    facts: dict[str, str], steps: list[str]
) -> None:
    matter = procedure("sequential", step("always"), step("large", FAR, when="amount >= 1000"), facts=facts)
    assert [each.id for each in matter.steps] == steps


def test_the_next_level_is_asked_where_nobody_is_there() -> None:
    matter = procedure("sequential", step("first", NEAR, "responsible_leader", FAR))
    [first] = matter.steps
    assert in_charge(first, lambda _role: True) == {NEAR}
    assert in_charge(first, lambda role: role == "responsible_leader") == {NEAR, "responsible_leader"}
    assert in_charge(first, lambda _role: None) == {NEAR, "responsible_leader", FAR}
    with pytest.raises(Forbidden, match="not_in_charge"):
        agree(matter, [], "staff/gm", FAR)
    assert agree(matter, [], "staff/gm", FAR, there=False) == "first"


def person(name: str, unit: str, role: str, serial: int, **more: Any) -> dict[str, Any]:
    held = [{"role": role, "unit": unit, "from_on": "2026-01-01", "until_on": None, "deputy_for": None}]
    standing = {"name": name, "version": 1, "state": "active", "unit": unit, "first_day": "2026-01-01"}
    data = {"last_day": None, "clearance": None, **standing, "held": held, **more}
    return {"kind": "person", "id": name, "data": data, "serial": serial}


def approvers(*people: dict[str, Any]) -> Approvers:
    """Over a small tree: company above sales above east and west."""
    roster = Roster()
    tree = {"company": None, "sales": "company", "east": "sales", "west": "sales"}
    units = [{"kind": "unit", "id": unit, "data": {"parent": parent}, "serial": 1} for unit, parent in tree.items()]
    roster.take([*units, *people])
    settings = ServiceSettings(database_url="x", bus_url="x", issuer="http://nowhere.invalid")  # type: ignore[arg-type]
    return Approvers(Authenticator(settings, REGIME_FILES, roster=roster))


def test_the_directory_says_who_is_there() -> None:
    known = approvers(person("shen", "sales", NEAR, 2), person("gao", "company", FAR, 3))
    ask = "registration.approve"
    assert known.others(ask, "east", (), NOW)(NEAR) is True
    assert known.others(ask, "east", {"staff/shen"}, NOW)(NEAR) is False
    assert known.others(ask, "company", (), NOW)(NEAR) is False  # sales does not reach upwards
    assert known.others(ask, "company", (), NOW)(FAR) is True
    assert approvers().others(ask, "east", (), NOW)(NEAR) is None


def test_the_desk_is_where_those_stand_who_are_asked() -> None:
    declared = REGIME_FILES.get(Approval, "registration", on=date(2026, 11, 2))
    [first], ask = declared.steps, declared.action
    known = approvers(
        person("shen", "sales", NEAR, 2), person("dong", "east", NEAR, 3), person("gao", "company", FAR, 4),
        person("gone", "west", NEAR, 5, last_day="2026-10-01"),
    )  # fmt: skip
    assert known.desk(first, ask, "east", (), NOW) == "east"
    assert known.desk(first, ask, "west", (), NOW) == "sales"
    assert known.desk(first, ask, "east", {"staff/dong"}, NOW) == "sales"
    assert known.desk(first, ask, "east", {"staff/dong", "staff/shen"}, NOW) == "company"
    assert approvers().desk(first, ask, "east", (), NOW) is None
