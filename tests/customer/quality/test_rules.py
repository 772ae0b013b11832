"""What is found of a file, purely: every example of every policy, and when it may differ by itself."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from services.customer.quality.rules import Assessment, Assessor, File
from shared.clock import CHINA
from shared.regime import Part, QualityPolicy
from tests.customer.quality.conftest import _LOADED, compiled

ASSESSING = compiled()
POLICIES = [each for each in _LOADED.definitions if isinstance(each, QualityPolicy)]
EXAMPLES = [
    pytest.param(example, id=f"{policy.id}-{number}")
    for policy in POLICIES
    for number, example in enumerate(policy.examples)
]
TODAY, LONG_AGO = date(2026, 11, 30), date(2026, 11, 24)
BASIC = {
    "customer_code": "Q-1",
    "shop_name": "示例",
    "address": "示例路 1 号",
    "contact_person": "示例",
    "contact_phone": "13900000000",
}
pytestmark = pytest.mark.req("R1.4")


def at(day: date) -> datetime:
    return datetime.combine(day, time(12), CHINA)


def assessor(day: date = TODAY, kind: str = "retail") -> Assessor:
    found = ASSESSING.assessor(kind, at(day))
    assert found is not None
    return found


def judged(
    values: dict[str, Any], day: date = TODAY, opened: date = LONG_AGO, status: str | None = None,
    meta: dict[str, list[Any]] | None = None,
) -> Assessment:  # fmt: skip
    found = assessor(day).assess(File(status, at(opened), None, values, meta or {}))
    assert found is not None
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_service_finds_what_an_example_says(example: Any) -> None:
    late = {"learnt_at": "", "working_days": 9, "late": True}
    verified = {code: example.verified_else.get(code, example.verified) for code in example.values}
    meta = {
        code: [
            "staff/x",
            at(example.verified).isoformat(),
            at(day).isoformat(),
            *([late] if code in example.late else []),
        ]
        for code, day in verified.items()
    }
    file = File(None, at(example.verified), at(example.checked), example.values, meta)
    found = assessor(example.today, example.kind).assess(file)
    assert found is not None
    assert (found.marks, found.score, found.level) == (example.parts, example.score, example.level)


def test_what_fails_is_named_by_code_alone() -> None:
    values = {**BASIC, "contact_phone": "call me", "issued_on": "2024-05-01", "valid_until": "2024-04-30"}
    found = judged(values, opened=date(2026, 5, 12))
    assert {"invalid:contact_phone", "broken:licence-dates", "missing:bank_account", "unverified:file-check"} <= {
        *found.failing
    }
    assert not any(value in what for what in found.failing for value in values.values())
    whole = {Part.COMPLETENESS, Part.ACCURACY, Part.TIMELINESS}
    assert {*found.marks} == whole
    assert sum(found.looked.values()) > len(found.failing)


def test_a_rule_of_which_it_cannot_be_told_is_not_looked_at() -> None:
    without, with_it = judged(BASIC), judged({**BASIC, "issued_on": "2024-05-01", "valid_until": "2028-12-31"})
    assert with_it.looked[Part.ACCURACY] - without.looked[Part.ACCURACY] == 4, "two values, two rules"


def test_a_value_that_does_not_fit_breaks_no_rule() -> None:
    found = judged({**BASIC, "issued_on": "yesterday", "valid_until": "2024-04-30"})
    assert "invalid:issued_on" in found.failing
    assert not any(what.startswith("broken:") for what in found.failing)


def test_what_counts_nothing_is_not_looked_at() -> None:
    assert not {"missing:email", "missing:purchase_amount"} & {*judged(BASIC).failing}


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_an_exempt_file_is_not_judged(status: str) -> None:
    assert assessor().assess(File(status, at(LONG_AGO), None, BASIC, {})) is None


@pytest.mark.parametrize(
    ("values", "turns_on"),
    [
        (BASIC, date(2027, 4, 1)),  # the file as a whole, opened in the fourth quarter, is due by the end of the first
        ({**BASIC, "issued_on": "2026-12-05"}, date(2026, 12, 5)),
        ({**BASIC, "issued_on": "2026-11-30"}, date(2026, 12, 1)),
    ],
)
def test_the_day_from_which_on_it_may_differ_is_known(values: dict[str, Any], turns_on: date) -> None:
    found = judged(values)
    assert found.turns_on == turns_on
    day = TODAY + timedelta(1)
    while day < turns_on:
        assert judged(values, day).failing == found.failing
        day += timedelta(7)


def test_items_become_overdue_one_after_the_other() -> None:
    """A review is as late as its oldest item, and told of once; the others follow by their own days."""
    values = {**BASIC, "promotion": "member"}
    fresh = ["staff/x", at(LONG_AGO).isoformat(), at(LONG_AGO).isoformat()]
    found = judged(values, opened=date(2026, 5, 12), meta={"promotion": fresh})
    assert found.turns_on == date(2027, 1, 1), "static items of May are due by the end of the year"
    later = judged(values, date(2027, 1, 4), date(2026, 5, 12), meta={"promotion": fresh})
    assert "overdue:address" in later.failing
    assert "overdue:promotion" not in later.failing
    assert later.turns_on == date(2027, 4, 1)
    assert "overdue:promotion" in judged(values, date(2027, 4, 1), date(2026, 5, 12), meta={"promotion": fresh}).failing


def test_a_late_change_counts_for_as_long_as_is_declared() -> None:
    late = {"learnt_at": "", "working_days": 9, "late": True}
    meta = {"contact_phone": ["staff/x", at(TODAY).isoformat(), at(TODAY).isoformat(), late]}
    days = assessor().policy.late_days
    assert "late:contact_phone" in judged(BASIC, TODAY, meta=meta).failing
    assert judged(BASIC, TODAY, meta=meta).turns_on == TODAY + timedelta(days)
    assert "late:contact_phone" in judged(BASIC, TODAY + timedelta(days - 1), meta=meta).failing
    assert "late:contact_phone" not in judged(BASIC, TODAY + timedelta(days), meta=meta).failing


def test_a_kind_without_a_policy_of_its_own_goes_by_that_for_all() -> None:
    assert assessor(kind="supplier").policy.id == "customer"
    assert assessor().policy.id == "retail"
