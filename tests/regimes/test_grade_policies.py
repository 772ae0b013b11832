"""Grade policies: patience and classes that do not hold are found before anything starts on them."""

import shutil
from pathlib import Path

import pytest

from shared.regime import inspect

REAL = Path(__file__).parents[2] / "regimes"
POLICY = "retail-customer/grade/quarterly.2027-01-01.yaml"
DYNAMICS = "retail-customer/dictionary/dynamics.yaml"
MISTAKES = [
    (POLICY, "up: {margin: 2,", "up: {margin: 20,", "nobody gets A"),
    (POLICY, "down: {margin: 2,", "down: {margin: 40,", "nobody falls to E"),
    (POLICY, "at_once: compliance_status == 'serious'", "at_once: purchase_amount", "the expression is of type money"),
    (POLICY, "item: customer_class", "item: shop_name", "no item 'shop_name' with codes"),
    (POLICY, "{code: key, when", "{code: golden, when", "'customer_class' is never 'golden'"),
    (POLICY, "{code: growth, when", "{code: ordinary, when", "'ordinary' stands twice"),
    (POLICY, "- {code: basic}", '- {code: basic, when: "purchase_amount < 1"}', "only the last class"),
    (POLICY, '{code: ordinary, when: "purchase_amount >= 50000"}', "{code: ordinary}", "only the last class"),
    (DYNAMICS, "code: violations_half_before", "code: violations_12m", "management has 'violations_12m'"),
]


@pytest.mark.req("R1.5")
@pytest.mark.parametrize(("file", "right", "wrong", "said"), MISTAKES, ids=[each[3] for each in MISTAKES])
def test_a_mistake_is_found(tmp_path: Path, file: str, right: str, wrong: str, said: str) -> None:
    root = Path(shutil.copytree(REAL, tmp_path / "regimes"))
    text = (root / file).read_text("utf-8")
    assert right in text
    (root / file).write_text(text.replace(right, wrong, 1), "utf-8")
    _, problems = inspect(root)
    assert [each for each in problems if said in each.message and each.file == file], problems
