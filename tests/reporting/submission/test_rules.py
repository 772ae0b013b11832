"""The declared review list of large exposures, and what the phases do with each other's leavings."""

from decimal import Decimal
from typing import Any

import pytest

from services.reporting.submission.finding import LISTED, Stage, StageRun, Verdict, verdict
from services.reporting.submission.rules import Judge, Judgement
from tests.factories.reporting import broken, credit_code, group_of, judged, loan, loans

GUARANTOR = {
    "related_relation": "guarantor",
    "related_name": "虚构担保有限公司",
    "related_party": "legal_person",
    "related_certificate_type": "unified_credit_code",
    "related_certificate_no": credit_code(77),
}


def stage(judgement: Judgement, wanted: Stage) -> StageRun:
    [run] = [run for run in judgement.stages if run.stage is wanted]
    return run


@pytest.mark.req("R4.1")
def test_a_table_without_faults_passes_every_phase(judge: Judge) -> None:
    judgement = judge.compare(judged(judge, *loans(3), loan(4, **GUARANTOR)), None)
    assert judgement.groups == ()
    assert verdict(judgement.groups) is Verdict.ACCEPTED
    assert [run.stage for run in judgement.stages] == list(Stage)


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("certificate-present", {"certificate_no": None}),
        ("certificate-valid", {"certificate_no": "91330106MA00000018"}),
        ("representative-certificate", {"representative_certificate_type": "unified_credit_code"}),
        ("related-party-complete", {"related_relation": "guarantor"}),
        ("related-party-certificate", {**GUARANTOR, "related_party": "natural_person"}),
        ("full-name", {"customer_name": "虚构实业"}),
        ("customer-code", {"customer_code": "kh330106000001"}),
        ("region-matches-place", {"region_code": "150203"}),
        ("large-enough", {"amount": "4999999.99"}),
        ("lead-only", {"syndicated": "true", "lead": "false"}),
    ],
)
def test_each_item_of_the_review_list_finds_its_row_and_blocks(
    judge: Judge, rule: str, changed: dict[str, Any]
) -> None:
    judgement = judged(judge, loan(1), loan(2, **changed), loan(3))
    assert broken(judgement) == {rule: [2]}
    assert verdict(judgement.groups) is Verdict.REJECTED


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "5000000"},
        {"syndicated": "true", "lead": "true"},
        {"certificate_type": "organisation_code", "certificate_no": "12345678-9"},
        {"representative_certificate_type": "passport", "representative_certificate_no": "E00000000"},
        {**GUARANTOR, "related_party": "natural_person", "related_certificate_type": "passport"},
    ],
)
def test_what_the_review_list_allows_passes(judge: Judge, changed: dict[str, Any]) -> None:
    assert broken(judged(judge, loan(1, **changed))) == {}


@pytest.mark.req("R4.1")
def test_a_loan_that_stands_twice_is_found_in_both_rows_by_its_own_key(judge: Judge) -> None:
    group = group_of(judged(judge, loan(1), loan(2), loan(1)), "loan-once")
    assert [(sample.row, dict(sample.key)) for sample in group.samples] == [
        (1, {"loan_no": "L-2026-000001"}),
        (3, {"loan_no": "L-2026-000001"}),
    ]


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(
    ("figure", "rule"),
    [
        ("large_customers", "large-customers-moved"),
        ("defaulting_legal_persons", "legal-defaults-moved"),
        ("defaulting_individuals", "individual-defaults-moved"),
    ],
)
def test_a_large_change_since_the_period_before_is_a_question(judge: Judge, figure: str, rule: str) -> None:
    judgement = judged(judge, *loans(2))
    quiet = dict(judgement.figures)
    assert judge.compare(judgement, quiet).groups == ()
    moved = judge.compare(judgement, {**quiet, figure: Decimal(50)})
    group = group_of(moved, rule)
    assert (group.samples[0].row, group.samples[0].seen) == (None, f"50 → {quiet[figure]}")
    assert verdict(moved.groups) is Verdict.ACCEPTED_WITH_QUERIES


def test_figures_count_customers_and_defaults(judge: Judge) -> None:
    guarantor = {**GUARANTOR, "related_party": "natural_person", "related_certificate_type": "passport"}
    rows = [
        loan(1),
        loan(2, customer_code="KH330106000001"),
        loan(3, defaulted="true", **guarantor, related_defaulted=True),
    ]
    assert judged(judge, *rows).figures == {
        "large_customers": 2,
        "defaulting_legal_persons": 1,
        "defaulting_individuals": 1,
    }


def test_a_refused_cell_is_reported_once_and_leaves_its_row_out_of_rules_that_read_it(judge: Judge) -> None:
    judgement = judged(judge, loan(1, amount="5e6", region_code="330106", registered_place="北京市"), loan(2))
    assert broken(judgement) == {"cell.wrong_type": [1], "region-matches-place": [1]}
    assert stage(judgement, Stage.CELL).rows_left_out == 1


def test_a_cell_that_a_cell_rule_blocks_is_no_ground_for_later_rules(judge: Judge) -> None:
    judgement = judge.compare(judged(judge, loan(1, customer_code="KH1"), loan(2)), {"large_customers": Decimal(2)})
    assert judgement.figures["large_customers"] is None
    assert "large-customers-moved" in stage(judgement, Stage.PRIOR_PERIOD).rules_not_run


def test_without_a_period_before_the_last_phase_says_that_it_did_not_run(judge: Judge) -> None:
    run = stage(judge.compare(judged(judge, loan(1)), None), Stage.PRIOR_PERIOD)
    assert (run.ran, run.why_not) == (False, "no_prior_period")


def test_without_rows_no_later_phase_runs(judge: Judge) -> None:
    judgement = judge.compare(judged(judge), None)
    assert broken(judgement) == {"envelope.no_rows": [None]}
    assert [run.ran for run in judgement.stages] == [True, False, False, False, False]


def test_all_findings_are_counted_and_the_first_thousand_listed(judge: Judge) -> None:
    group = group_of(judged(judge, *loans(LISTED + 5, amount="1")), "large-enough")
    assert (group.count, len(group.samples)) == (LISTED + 5, LISTED)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("５００００００", "full_width"),
        ("5e6", "wrong_type"),
        ("1e400", "wrong_type"),
        ("5,000,000", "wrong_type"),
        ("-0", "negative_zero"),
        ("-0.00", "negative_zero"),
        ("-1", "below_minimum"),
        ("5000000.001", "too_many_decimals"),
        ("五百万", "wrong_type"),
        ("5000000\x00", "wrong_type"),
        (True, "wrong_type"),
        ({"value": 1}, "wrong_type"),
        ("", "required"),
    ],
)
def test_an_amount_is_read_as_written_or_not_at_all(judge: Judge, raw: object, code: str) -> None:
    group = group_of(judged(judge, loan(1, amount=raw)), f"cell.{code}")
    assert (group.field, group.samples[0].row) == ("amount", 1)
    assert (group.samples[0].seen or "").isprintable()


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"related_relation": "friend"}, "cell.not_in_list"),
        ({"certificate_type": "library_card"}, "cell.not_in_list"),
        ({"region_code": "33010"}, "cell.pattern_mismatch"),
        ({"region_code": "３３０１０６"}, "cell.full_width"),
        ({"customer_name": "杭州\u202e虚构实业有限公司"}, "cell.unsafe_text"),
        ({"customer_name": "杭州\x07虚构实业有限公司"}, "cell.unsafe_text"),
        ({"customer_name": "虚" * 101 + "公司"}, "cell.too_long"),
        ({"defaulted": "yes"}, "cell.wrong_type"),
        ({"loan_no": None}, "cell.required"),
    ],
)
def test_other_cells_are_held_to_their_columns(judge: Judge, changed: dict[str, Any], rule: str) -> None:
    assert rule in broken(judged(judge, loan(1, **changed)))


def test_every_kind_of_fault_has_both_languages(judge: Judge) -> None:
    for group in judged(judge, loan(1, amount="1", customer_name="x", region_code="9", loan_no=None)).groups:
        assert group.expected.zh and group.expected.en and group.message.zh != group.message.en
