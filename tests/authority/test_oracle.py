"""The oracle reads the role data as they are meant; the roles' own examples are the witness."""

import pytest

from tests.authority.oracle import Oracle, declared

pytestmark = pytest.mark.req("R2.2")
PARENTS = {"top": None, "left": "top", "right": "top", "leaf": "left"}
ORACLE = Oracle(PARENTS)


@pytest.mark.parametrize("role", declared("role"))
def test_what_a_role_gives_as_examples_holds(role: str) -> None:
    examples = [each for each in ORACLE.roles[role]["examples"] if "field_class" not in each]
    assert examples
    for example in examples:
        assert ORACLE.grants(role, example["action"]) is example["allowed"], example


@pytest.mark.parametrize(
    ("reach", "units"),
    [("own", {"left"}), ("subtree", {"left", "leaf"}), ("all", {*PARENTS, "elsewhere"}), ("assigned", set())],
)
def test_a_reach_covers_these_units(reach: str, units: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    grants = [{"resource": "thing", "actions": ["read"]}, {"resource": "other", "actions": ["read"], "units": "own"}]
    monkeypatch.setitem(ORACLE.roles, "clerk", {"id": "clerk", "units": reach, "grants": grants})
    assert {each for each in (*PARENTS, "elsewhere") if ORACLE.reaches("clerk", "thing.read", "left", each)} == units
    assert {each for each in PARENTS if ORACLE.reaches("clerk", "other.read", "left", each)} == {"left"}
    assert ORACLE.reaches_everything("clerk", "thing.read") is (reach == "all")
    assert not ORACLE.grants("clerk", "thing.change")


def test_nobody_holds_what_no_role_grants() -> None:
    assert not ORACLE.grants("", "customer.read")
    assert ORACLE.grants("", "*")
    assert ORACLE.needs_recent_sign_in("staff.role.grant")
    assert not ORACLE.needs_recent_sign_in("customer.read")
