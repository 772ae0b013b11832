"""Roles and code agree on actions, and the sample sign-ins have the authority that the contract promises."""

import re
from datetime import date
from pathlib import Path

import pytest

from shared.regime import Holder, Role, Secrecy, load

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 1)
REGIMES = load(ROOT / "regimes")
ASKED = re.compile(r"\b(?:may|scope|clears)\(\s*\"([a-z_.]+)\"")


def asked_for() -> set[str]:
    sources = (path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py"))
    return {action for path in sources for action in ASKED.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.req("R2.2")
def test_every_action_that_code_asks_for_is_granted_by_some_role() -> None:
    granted = frozenset[str]().union(*(role.actions for role in REGIMES.all(Role, on=DAY)))
    assert asked_for() - granted == set()
    assert "customer.read" in asked_for()


@pytest.mark.req("R7.2")
def test_a_department_manager_registers_without_approval_and_a_customer_manager_does_not() -> None:
    assert "customer.register" in REGIMES.role("department_manager", on=DAY).actions
    assert "customer.register" not in REGIMES.role("customer_manager", on=DAY).actions


@pytest.mark.req("R2.2")
def test_only_leaders_and_the_security_officer_are_cleared_for_the_highest_level() -> None:
    cleared = {role.id for role in REGIMES.all(Role, on=DAY) if role.clearance.covers(Secrecy.TOP_SECRET)}
    cleared -= {"peer_service"}  # sees nothing but through the eyes of whoever it asks for
    assert cleared == {"general_manager", "responsible_leader", "security_officer"}


@pytest.mark.req("R2.2")
def test_whoever_runs_the_system_reads_no_customer() -> None:
    assert not [action for action in REGIMES.role("admin", on=DAY).actions if action.startswith("customer.")]


def test_every_role_may_do_what_all_staff_may() -> None:
    staff = [role for role in REGIMES.all(Role, on=DAY) if role.held_by is Holder.PERSON]
    assert [role.id for role in staff if not {"inbox.read", "console.open"} <= role.actions] == []
