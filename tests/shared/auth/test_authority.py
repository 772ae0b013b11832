"""What roles add up to: powers that never mix, scopes for lists, one decision that says why (R2.2, R5.5)."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.auth import Authority, Holding, Matter, Principal, Scope, decide
from shared.regime import Secrecy, load

DAY = date(2026, 11, 24)
NOW = 1_795_500_000.0
REGIMES = Path(__file__).parents[3] / "regimes"
AUTHORITY = Authority(load(REGIMES)).on(DAY)
TREE = {"company": {"sales", "east", "west"}, "sales": {"east", "west"}}
pytestmark = pytest.mark.req("R2.2")


def below(unit: str) -> frozenset[str]:
    return frozenset({unit, *TREE.get(unit, ())})


def person(*held: tuple[str, str], clearance: Secrecy | None = None, signed_in_at: float | None = NOW) -> Principal:
    powers = AUTHORITY.powers("lu", [Holding(*each) for each in held], below, clearance)
    return Principal("lu", "staff/lu", held[0][1], (), powers, NOW + 900, "token", signed_in_at)


def code(who: Principal, action: str, matter: Matter = Matter()) -> str:  # noqa: B008 - frozen
    return decide(AUTHORITY, who, action, matter, NOW).code


def test_a_role_over_a_unit_reaches_what_is_below_it() -> None:
    who = person(("department_manager", "sales"))
    assert who.scope("customer.read").units == {"sales", "east", "west"}
    assert who.sight("customer.read", "east")
    assert not who.sight("customer.read", "risk")


def test_roles_over_several_units_do_not_lend_each_other_their_clearance() -> None:
    who = person(("customer_manager", "west"), ("department_manager", "east"))
    secret = (Secrecy.SECRET, "general")
    assert who.sight("customer.read", "east").shows(*secret)
    assert not who.sight("customer.read", "west").shows(*secret)
    assert who.scope("customer.read").units == {"east", "west"}
    assert who.scope("customer.read", [secret]).units == {"east"}


def test_a_persons_own_clearance_caps_what_their_roles_clear() -> None:
    who = person(("general_manager", "company"), clearance=Secrecy.INTERNAL)
    assert who.clears("customer.read", Secrecy.INTERNAL)
    assert not who.clears("customer.read", Secrecy.CONFIDENTIAL)
    lifted = person(("customer_manager", "east"), clearance=Secrecy.TOP_SECRET)
    assert not lifted.clears("customer.read", Secrecy.SECRET)


@pytest.mark.req("R5.5")
def test_a_class_of_fields_that_is_not_granted_is_not_shown_however_high_the_clearance() -> None:
    who = person(("auditor", "company"))
    assert who.clears("customer.read", Secrecy.CONFIDENTIAL, "contact")
    assert not who.clears("customer.read", Secrecy.PUBLIC, "identity")


def test_the_decision_says_which_step_refused() -> None:
    who = person(("customer_manager", "east"))
    east, west = Matter("east", is_record=True), Matter("west", is_record=True)
    assert code(who, "entry.read") == "not_granted"
    assert code(who, "customer.read", west) == "out_of_reach"
    assert code(who, "customer.read", east.about(Secrecy.SECRET, "general")) == "above_clearance"
    assert (
        code(person(("auditor", "company")), "customer.read", east.about(Secrecy.PUBLIC, "identity")) == "field_class"
    )
    allowed = decide(AUTHORITY, who, "customer.read", east.about(Secrecy.CONFIDENTIAL, "financial"), NOW)
    assert [each.code for each in allowed.reasons] == ["granted", "reached", "cleared", "shown"]
    assert allowed.allowed
    assert all(each.text.zh != each.text.en for each in allowed.reasons)


@pytest.mark.req("R4.5")
def test_a_sensitive_action_needs_a_sign_in_of_late() -> None:
    assert code(person(("admin", "company")), "identity.key.rotate") == "recent"
    assert code(person(("admin", "company"), signed_in_at=NOW - 601), "identity.key.rotate") == "sign_in_too_old"
    assert code(person(("admin", "company"), signed_in_at=None), "identity.key.rotate") == "sign_in_too_old"
    assert code(person(("admin", "company"), signed_in_at=None), "staff.read") == "granted"


def test_whoever_did_the_one_step_does_not_do_the_other() -> None:
    who = person(("report_reviewer", "risk"))
    own, others = {"custody.hand_over": "staff/lu"}, {"custody.hand_over": "staff/fang"}
    assert code(who, "custody.supervise", Matter("risk", is_record=True, done=own)) == "same_person"
    assert code(who, "custody.supervise", Matter("risk", is_record=True, done=others)) == "recent"


@pytest.mark.parametrize(
    ("own", "absent", "cleared"),
    [
        (None, None, Secrecy.SECRET),
        (None, Secrecy.INTERNAL, Secrecy.INTERNAL),
        (Secrecy.CONFIDENTIAL, None, Secrecy.CONFIDENTIAL),
        (Secrecy.CONFIDENTIAL, Secrecy.INTERNAL, Secrecy.INTERNAL),
        (Secrecy.INTERNAL, Secrecy.CONFIDENTIAL, Secrecy.INTERNAL),
        (Secrecy.TOP_SECRET, Secrecy.TOP_SECRET, Secrecy.SECRET),
    ],
)
def test_what_is_lent_clears_no_more_than_either_of_the_two(
    own: Secrecy | None, absent: Secrecy | None, cleared: Secrecy
) -> None:
    lent = [Holding("department_manager", "east", "shen", absent)]
    powers = AUTHORITY.powers("lu", lent, below, own)
    assert {power.clearance for held in powers.values() for power in held} == {cleared}


@pytest.mark.req("R4.5")
def test_what_is_kept_in_custody_is_lent_to_no_deputy() -> None:
    lent = [Holding(role, "east", "shen") for role in ("report_entry", "department_manager")]
    powers = AUTHORITY.powers("lu", lent, below)
    assert {power.role for held in powers.values() for power in held} == {"department_manager"}
    assert "submission.create" in AUTHORITY.powers("lu", [Holding("report_entry", "east"), *lent], below)


ASSIGNED = """
id: {id}
title: {{zh: 测试, en: Test}}
requirement: R2.2
effective_from: 2025-01-01
owner: admin
units: assigned
clearance: {clearance}
grants:
  - {{resource: customer, actions: [read]}}
examples:
  - {{action: customer.read, allowed: true}}
  - {{action: customer.change, allowed: false}}
"""


def test_a_deputy_reaches_the_files_of_whoever_they_stand_in_for(tmp_path: Path) -> None:
    shutil.copytree(REGIMES, tmp_path, dirs_exist_ok=True)
    for name, clearance in (("runner", "internal"), ("senior", "secret")):
        path = tmp_path / "company" / "role" / f"{name}.yaml"
        path.write_text(ASSIGNED.format(id=name, clearance=clearance), encoding="utf-8")
    held = [Holding("runner", "east"), Holding("senior", "east", "shen"), Holding("runner", "east", "gu")]
    powers = Authority(load(tmp_path)).on(DAY).powers("lu", held, below)
    who = Principal("lu", "staff/lu", "east", (), powers, NOW + 900, "token", NOW)
    assert who.scope("customer.read") == Scope(assigned_to=frozenset({"lu", "shen", "gu"}))
    assert who.sight("customer.read", "east", "shen").shows(Secrecy.SECRET)
    assert not who.sight("customer.read", "east", "lu").shows(Secrecy.SECRET), "lent for another's files alone"
    assert not who.sight("customer.read", "east", "fang")
    assert not who.sight("customer.read", "east")


def test_a_key_narrows_and_never_widens() -> None:
    who = person(("department_manager", "sales")).narrowed(frozenset({"east", "risk"}), {"report": frozenset({"a"})})
    assert who.scope("customer.read").units == {"east"}
    assert (who.is_allowed("report", "a"), who.is_allowed("report", "b"), who.is_allowed("kind", "b")) == (
        True,
        False,
        True,
    )


scopes = st.builds(
    Scope,
    st.booleans(),
    st.frozensets(st.sampled_from(["a", "b", "c"])),
    st.frozensets(st.sampled_from(["lu", "fang"])),
)


@given(scopes, scopes, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["lu", "fang", None]))
def test_scopes_never_reach_further_than_their_parts(one: Scope, two: Scope, unit: str, assignee: str | None) -> None:
    either = one.reaches(unit, assignee) or two.reaches(unit, assignee)
    both = one.reaches(unit, assignee) and two.reaches(unit, assignee)
    assert either or not (one | two).reaches(unit, assignee)
    assert both or not (one & two).reaches(unit, assignee)
    assert one.reaches(unit, assignee) or not one.only(frozenset({"a"})).reaches(unit, assignee)
    assert bool(one) or not one.reaches(unit, assignee)
