"""Items shared by reference: what a kind takes from another, what it may say otherwise, what comes with it."""

from datetime import date
from pathlib import Path

import pytest

from shared.regime import Regimes, Use, inspect, load
from tests.factories.regimes import KIOSK, with_kiosks

STAND = "kiosk/dictionary/stand.yaml"
TODAY = date(2026, 11, 30)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_kiosks(tmp_path / "regimes")


def rewritten(root: Path, file: str, right: str, wrong: str) -> None:
    text = (root / file).read_text("utf-8")
    assert right in text
    (root / file).write_text(text.replace(right, wrong, 1), "utf-8")


@pytest.mark.req("R5.1")
def test_a_kind_takes_items_of_another_and_says_otherwise_only_what_it_names(root: Path) -> None:
    regimes = load(root)
    retail, kiosk = regimes.catalogue("retail", on=TODAY), regimes.catalogue("kiosk", on=TODAY)
    assert list(kiosk.items)[:3] == ["customer_code", "shop_name", "customer_status"], "shared ones come first"
    assert list(kiosk.items)[-1] == "pitch_length"
    assert set(kiosk.group_of.values()) == {"stand"}
    assert kiosk.items["certificate_number"] == retail.items["certificate_number"]
    assert kiosk.items["shop_name"].label.en == "Name of the kiosk"
    assert (
        kiosk.items["shop_name"].model_copy(update={"label": retail.items["shop_name"].label})
        == (retail.items["shop_name"])
    )
    assert kiosk.required == {"customer_code", "shop_name", "legal_representative"}
    assert "legal_representative" not in retail.required
    assert {use: kiosk.used_as(use).code for use in Use if kiosk.used_as(use)} == {
        Use.NUMBER: "customer_code",
        Use.NAME: "shop_name",
        Use.STATUS: "customer_status",
        Use.MANAGER: "customer_manager",
    }


@pytest.mark.req("R1.4")
def test_rules_come_with_the_items_that_they_read_and_not_without(root: Path) -> None:
    rules = load(root).catalogue("kiosk", on=TODAY).rules
    assert {"closed-pitch", "certificate-number", "certificate-holder", "licence-dates"} <= rules.keys()
    assert "review-after-issue" not in rules, "the day of the review was not taken"


@pytest.mark.req("R5.1")
def test_the_hash_of_a_kind_covers_what_it_refers_to_and_nothing_else(root: Path) -> None:
    before = load(root)
    rewritten(root, "retail-customer/dictionary/basic.yaml", "以门头招牌为准", "以招牌为准")
    after = load(root)
    for kind in ("retail", "kiosk"):
        assert before.catalogue(kind, on=TODAY).ref.hash != after.catalogue(kind, on=TODAY).ref.hash
    rewritten(root, "retail-customer/dictionary/image.yaml", "白天", "日间")
    later = load(root)
    assert later.catalogue("kiosk", on=TODAY).ref == after.catalogue("kiosk", on=TODAY).ref
    assert later.catalogue("retail", on=TODAY).ref != after.catalogue("retail", on=TODAY).ref


def test_a_later_version_of_the_source_is_taken_from_its_day_on(root: Path) -> None:
    source = root / "retail-customer" / "dictionary" / "basic.yaml"
    text = source.read_text("utf-8").replace("2025-01-01", "2027-01-01", 1).replace("max_length: 60", "max_length: 61")
    source.with_suffix(".2027-01-01.yaml").write_text(text, "utf-8")
    regimes = load(root)
    lengths = [
        regimes.catalogue("kiosk", on=day).items["legal_representative"].max_length for day in (TODAY, date(2027, 1, 1))
    ]
    assert lengths == [60, 61]
    assert regimes.catalogue("kiosk", on=date(2027, 1, 1)).ref.version == date(2027, 1, 1)


def test_taken_items_may_be_taken_again(root: Path) -> None:
    folder = root / "booth" / "dictionary"
    folder.mkdir(parents=True)
    text = KIOSK[: KIOSK.index("shared:")].replace("id: stand", "id: booth").replace("kind: kiosk", "kind: booth")
    text += (
        "shared:\n  - group: kiosk.stand\n    items: [customer_code, shop_name, pitch_length]\n"
        "  - group: retail.sales\n    items: [purchase_amount]\n    totals: [purchase_amount_12m]\n"
        "examples: [{values: {customer_code: B-01}}]\n"
    )
    (folder / "booth.yaml").write_text(text, "utf-8")
    regimes: Regimes = load(root)
    booth = regimes.catalogue("booth", on=TODAY)
    assert booth.items["shop_name"].label.en == "Name of the kiosk"
    assert booth.totals.keys() == {"purchase_amount_12m"}
    assert [item.code for item in booth.system_items] == ["purchase_amount"]
    assert "closed-pitch" not in booth.rules


MISTAKES = [
    ("group: retail.network", "group: retail.nothing", "no group 'retail.nothing' of another kind"),
    ("group: retail.network", "group: kiosk.stand", "refers back to itself"),
    ("[customer_manager, region]", "[customer_manager, regions]", "retail.network has no 'regions'"),
    ("[issued_on, valid_until]", "[issued_on, issued_on]", "'issued_on' stands twice"),
    ("code: pitch_length", "code: region", "'region' stands twice"),
    ("legal_representative: {required", "postal_code: {required", "'postal_code' is not overridden"),
    ("legal_representative: {required: true}", "shop_name: {}", "the key 'shop_name' stands twice"),
    ("legal_representative: {required: true}", "legal_representative: {}", "is not overridden"),
    ("{required: true}", "{maintenance: system}", "has a formula and no keeper"),
    ("{required: true}", "{maintained_by: nobody}", "is kept by nobody"),
    ("{required: true}", "{secrecy: public}", "Extra inputs"),
    ("items: [customer_manager, region]", "items: [region]\n    totals: [x]", "has no total 'x'"),
    (
        "group: retail.network\n    items: [customer_manager,",
        "group: retail.sales\n    items: [purchase_amount,",
        "from 'purchase",
    ),
    ("[customer_manager, region]", "[customer_manager, purchase_amount]", "has no 'purchase_amount'"),
    ("expression: pitch_length > 0", "expression: pitch_size > 0", "unknown_field"),
    ("expression: pitch_length > 0", "expression: pitch_length", "the expression is of type number"),
    ("items: [pitch_length]", "items: [shop_name]", "the rule does not read 'shop_name'"),
    ('pitch_length: "0"}, passes: false', 'pitch_length: "1"}, passes: true', "all end alike"),
    ("customer_status: closed, pitch_length", "customer_state: closed, pitch_length", "does not read 'customer_state'"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_mistake_in_a_reference_or_a_rule_is_found(root: Path, right: str, wrong: str, said: str) -> None:
    rewritten(root, STAND, right, wrong)
    _, problems = inspect(root)
    found = [problem for problem in problems if said in problem.message]
    assert [problem.file for problem in found[:1]] == [STAND], problems
    assert 1 < found[0].line <= len((root / STAND).read_text("utf-8").splitlines())


def test_a_circle_of_references_is_found(root: Path) -> None:
    rewritten(
        root,
        "retail-customer/dictionary/image.yaml",
        "\nitems:\n",
        "\nshared:\n  - group: kiosk.stand\n    items: [pitch_length]\nitems:\n",
    )
    rewritten(root, STAND, "items:\n  - code", "  - group: retail.image\n    items: [shop_photo]\nitems:\n  - code")
    _, problems = inspect(root)
    said = {problem.file: problem.message for problem in problems if "refers back" in problem.message}
    assert said.keys() == {STAND, "retail-customer/dictionary/image.yaml"}


def test_a_group_without_any_items_is_none(root: Path) -> None:
    path = root / STAND
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("shared:")] + text[text.index("examples:\n  - values:") :], "utf-8")
    _, problems = inspect(root)
    assert any("a group has items" in problem.message for problem in problems)
