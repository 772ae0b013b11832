"""What the next better grade takes, held against the policy itself: it is enough, and a little less is not."""

from datetime import date
from decimal import Decimal

import pytest

from services.customer.grading.advice import Way, next_better
from services.customer.grading.rules import Policy
from services.customer.grading.service import stored
from tests.customer.grading.test_rules import LOADED, policy_of, row_of

pytestmark = pytest.mark.req("R1.5")
POLICY = policy_of(LOADED.grade("retail", on=date(2026, 11, 24)))
ROW = row_of(POLICY, dict(POLICY.declared.examples[1].inputs))


def missing_to_next(policy: Policy, row: dict[str, object]) -> tuple[str | None, tuple[Way, ...]]:
    check = policy.judge(row)
    found = next_better(policy.declared, check.grade, check.score, list(stored(check)))
    assert found is not None
    return found.rank.grade, found.ways


def test_each_way_alone_is_enough() -> None:
    row = {**ROW, "purchase_quantity": Decimal(700)}
    assert POLICY.judge(row).grade == "C"
    grade, ways = missing_to_next(POLICY, row)
    assert grade == "B"
    assert {way.indicator.id for way in ways} >= {"purchase_amount", "varieties", "purchase_quantity"}
    for way in ways:
        expression, value = way.indicator.expression, way.start if way.start is not None else way.end
        if expression in POLICY.catalogue.types:
            given = way.codes[0] if way.codes else value
            given = given == "true" if given in ("true", "false") else given
            assert POLICY.judge({**row, expression: given}).grade == "B", way.text.en


def test_no_more_than_is_needed() -> None:
    row = {**ROW, "purchase_quantity": Decimal(700)}
    _, ways = missing_to_next(POLICY, row)
    [varieties] = [way for way in ways if way.indicator.id == "varieties"]
    assert varieties.start is not None
    assert POLICY.judge({**row, "variety_count": varieties.start - Decimal("0.5")}).grade == "C"
    assert varieties.text.zh == f"只靠经营品种数：达到 {varieties.start}"


def test_the_best_grade_and_an_unknown_one_have_no_next() -> None:
    assert next_better(POLICY.declared, "A", Decimal(99), []) is None
    assert next_better(POLICY.declared, None, None, []) is None


def test_a_score_that_only_waits_for_the_quarter_lacks_no_points() -> None:
    declared = LOADED.grade("retail", on=date(2027, 1, 4))
    found = next_better(declared, "C", Decimal(75), [])
    assert found is not None
    assert (found.score, found.missing, found.quarterly, found.ways) == (72, 0, True, ())
    assert "quarter" in found.text.en
