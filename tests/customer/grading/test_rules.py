"""The declared policy, applied: its own examples, and what counts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.customer.dealings.rules import Formulas
from services.customer.grading.rules import Policy, touches
from shared.regime import GradePolicy, load, load_value
from shared.regime.field import FieldType
from tests.factories.customer import REGIMES

DAY = date(2026, 11, 24)
LOADED = load(REGIMES)
DECLARED = LOADED.all(GradePolicy, on=DAY)


def policy_of(declared: GradePolicy) -> Policy:
    catalogue = LOADED.catalogue(declared.kind, on=DAY)
    lists = LOADED.labels(on=DAY)
    return Policy(declared, catalogue, Formulas(catalogue, lists), lists)


def row_of(policy: Policy, inputs: dict[str, Any]) -> dict[str, Any]:
    kinds = {code: item.type for code, item in policy.catalogue.items.items()}
    kinds |= {f"total.{code}": total.type for code, total in policy.catalogue.totals.items()}
    return {name: load_value(kinds[name], value) for name, value in inputs.items()}


@pytest.mark.req("R1.5")
@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.id)
def test_a_policy_gives_the_grades_of_its_examples(declared: GradePolicy) -> None:
    policy = policy_of(declared)
    found = [policy.judge(row_of(policy, dict(example.inputs))) for example in declared.examples]
    assert [(check.score, check.grade) for check in found] == [(e.score, e.grade) for e in declared.examples]
    assert len(found) >= 2


def test_an_explanation_adds_up_to_the_score() -> None:
    policy = policy_of(DECLARED[0])
    for example in DECLARED[0].examples:
        check = policy.judge(row_of(policy, dict(example.inputs)))
        counted = [each for each in check.indicators if each.points is not None]
        total = sum(each.points * each.weight for each in counted) / sum(each.weight for each in counted)
        assert check.score is None or check.score == total.quantize(Decimal("0.01"))


@pytest.mark.req("R0.3")
def test_what_counts_is_read_off_the_expressions_through_computed_items_down_to_their_totals() -> None:
    policy = policy_of(LOADED.grade("retail", on=DAY))
    assert touches(policy, ["credit_level"])
    assert touches(policy, ["total.violations_12m"]), "compliance is computed from it"
    assert not touches(policy, ["shop_name", "contact_phone"])
    assert not touches(policy, ["total.orders_99m"])


def test_stored_values_are_read_by_their_type() -> None:
    policy = policy_of(LOADED.grade("retail", on=DAY))
    area = policy.catalogue.items["business_area"].type
    assert area in (FieldType.DECIMAL, FieldType.INTEGER)
    checked = {each.id: each for each in policy.check({"business_area": "90", "model_shop": True}, {}).indicators}
    assert checked["shop_area"].points == Decimal(100)
    assert checked["model_shop"].points == Decimal(100)
    assert checked["compliance"].value is None
