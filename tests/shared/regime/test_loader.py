"""Loading: identity, versions by day, and that a new definition needs no line of Python."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.errors import NotFound
from shared.regime import BrokenRegimes, load

REAL = Path(__file__).parents[3] / "regimes"
GRADE = Path("retail-customer/grade/quarterly.yaml")
TODAY = date(2026, 11, 24)

NEW_REPORT = """\
id: flash
title: {zh: 快报, en: Flash report}
requirement: R12.1
effective_from: 2026-01-01
owner: report_reviewer
period: month
secrecy: secret
calendar: cn
columns:
  - code: item
    label: {zh: 项目, en: Item}
    definition: {zh: 报表项目, en: Line of the statement}
    type: code
    pattern: "[0-9]{3}"
    required: true
  - code: amount
    label: {zh: 金额, en: Amount}
    definition: {zh: 本月金额, en: Amount of the month}
    type: money
row_key: [item]
rules:
  - id: not-negative
    phase: cell
    severity: error
    field: amount
    expression: amount >= 0
    missing: pass
    expected: {zh: 非负, en: zero or more}
    message: {zh: "金额为负：{seen}；应为{expected}。", en: "Negative: {seen}; expected {expected}."}
    citation: R12.1
    examples:
      - {rows: [{amount: "0"}], passes: true}
      - {rows: [{amount: "-1"}], passes: false}
examples:
  - row: {item: "101", amount: "1.00"}
  - row: {item: x}
    faults: {item: pattern_mismatch}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REAL, tmp_path / "regimes"))


def later_grade(root: Path, day: str) -> None:
    text = (root / GRADE).read_text(encoding="utf-8").replace("2025-01-01", day).replace("decimals: 2", "decimals: 1")
    (root / GRADE).with_suffix(f".{day}.yaml").write_text(text, encoding="utf-8")


def test_the_version_in_force_on_a_day_is_the_latest_that_has_begun(root: Path) -> None:
    later_grade(root, "2027-01-01")
    regimes = load(root)
    assert regimes.grade("retail", on=date(2026, 12, 31)).decimals == 2
    assert regimes.grade("retail", on=date(2027, 1, 1)).decimals == 1
    assert regimes.grade("retail", on=date(2027, 1, 1)).ref.version == date(2027, 1, 1)
    with pytest.raises(NotFound, match="unknown_definition"):
        regimes.grade("retail", on=date(2024, 12, 31))


def test_what_nobody_declared_is_not_found() -> None:
    regimes = load(REAL)
    with pytest.raises(NotFound, match="unknown_definition"):
        regimes.report("nothing", on=TODAY)
    with pytest.raises(NotFound, match="unknown_kind"):
        regimes.catalogue("martian", on=TODAY)


def test_the_hash_follows_the_words_and_not_the_layout(root: Path) -> None:
    before = load(root).grade("retail", on=TODAY).ref
    path = root / GRADE
    text = path.read_text(encoding="utf-8")
    path.write_text("# another comment\n\n" + text.replace("weight: 18", "weight:   18"), encoding="utf-8")
    assert load(root).grade("retail", on=TODAY).ref == before
    path.write_text(text.replace("decimals: 2", "decimals: 3"), encoding="utf-8")
    after = load(root)
    assert after.grade("retail", on=TODAY).ref.hash != before.hash
    assert after.hash != load(REAL).hash


def test_a_reference_says_which_text_of_which_definition() -> None:
    ref = load(REAL).grade("retail", on=TODAY).ref
    assert ref.as_json() == {"id": "retail-customer/grade/quarterly", "version": "2025-01-01", "hash": ref.hash}
    assert len(ref.hash) == 64


def test_the_catalogue_has_one_identity_over_its_groups(root: Path) -> None:
    before = load(root).catalogue("retail", on=TODAY).ref
    path = root / "retail-customer" / "dictionary" / "image.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("白天", "日间"), encoding="utf-8")
    after = load(root).catalogue("retail", on=TODAY).ref
    assert before.id == "retail-customer/dictionary/retail"
    assert (after.id, after.version) == (before.id, before.version)
    assert after.hash != before.hash


def test_the_catalogue_of_a_day_is_built_once() -> None:
    regimes = load(REAL)
    assert regimes.catalogue("retail", on=TODAY) is regimes.catalogue("retail", on=TODAY)


def test_a_new_report_type_needs_no_line_of_python(root: Path) -> None:
    path = root / "aviation" / "report" / "flash.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(NEW_REPORT, encoding="utf-8")
    report = load(root).report("flash", on=TODAY)
    assert [rule.id for rule in report.rules] == ["not-negative"]
    assert report.measure == "aviation"


def test_a_message_is_found_by_the_event_that_sends_it() -> None:
    regimes = load(REAL)
    assert [message.id for message in regimes.messages("customer.grade_changed", on=TODAY)] == ["grade-changed"]
    assert regimes.messages("customer.changed", on=TODAY) == ()


def test_labels_of_lists_are_what_expressions_look_up() -> None:
    labels = load(REAL).labels(on=TODAY)
    assert labels["region"]["330106"] == "浙江省杭州市西湖区"


def test_definitions_cannot_be_changed() -> None:
    policy = load(REAL).grade("retail", on=TODAY)
    with pytest.raises(ValidationError, match="frozen"):
        policy.decimals = 5  # type: ignore[misc]


def test_nobody_starts_on_definitions_that_do_not_hold(root: Path) -> None:
    path = root / GRADE
    path.write_text(path.read_text(encoding="utf-8").replace("weight: 18", "weight: 1"), encoding="utf-8")
    with pytest.raises(BrokenRegimes, match=r"quarterly\.yaml:\d+: the weights add up to 83") as caught:
        load(root)
    assert len(caught.value.problems) == 1


def test_the_day_in_a_file_name_is_the_day_that_it_states(root: Path) -> None:
    later_grade(root, "2027-01-01")
    path = (root / GRADE).with_suffix(".2027-01-01.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("2027-01-01", "2027-02-01"), encoding="utf-8")
    with pytest.raises(BrokenRegimes, match="effective_from is not the day in the file's name"):
        load(root)
