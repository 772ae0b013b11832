"""Each kind of mistake in a definition is found, with its file, its line and what to do about it."""

import shutil
from pathlib import Path

import pytest

from shared.regime import inspect
from shared.regime.reading import Problem

REAL = Path(__file__).parents[3] / "regimes"
GRADE = "retail-customer/grade/quarterly.yaml"
REPORT = "bank-risk/report/large-exposure.yaml"
MESSAGE = "company/message/grade-changed.yaml"
CALENDAR = "company/calendar/cn.yaml"
DUPLICATE = "company/duplicate/customer.yaml"
BASIC = "retail-customer/dictionary/basic.yaml"
SALES = "retail-customer/dictionary/sales.yaml"
CLOCK = "company/clock/access.yaml"
RESOURCE = "company/resource/custody.yaml"
RELATION = "company/relation/shareholder.yaml"
ROLE = "company/role/auditor.yaml"
HEAD = "company/role/department_manager.yaml"
KEPT = "company/role/report_entry.yaml"
APPROVAL = "company/approval/registration.yaml"
REGISTRATION = "company/resource/registration.yaml"
IMPORTANCE = "retail-customer/importance/retail.yaml"

MISTAKES = [
    (GRADE, "weight: 18", "weight: 17", "the weights add up to 99"),
    (GRADE, "{below: 150000, points: 40}", "{below: 15000, points: 40}", "15000 is not above 50000"),
    (GRADE, "      - {points: 100}", "      - {below: 700000, points: 100}", "only the last one is open"),
    (GRADE, "{grade: D, below: 55,", "{grade: D, below: 39,", "39 is not above 40"),
    (GRADE, "{grade: D,", "{grade: E,", "'E' stands twice"),
    (GRADE, "expression: variety_count", "expression: variety_kount", "unknown_field"),
    (GRADE, "expression: variety_count", "expression: shop_name", "the expression is of type text"),
    (GRADE, "expression: variety_count", "expression: 1 +", "1:4"),
    (GRADE, "expression: credit_level", "expression: certificate_type", "'certificate_type' is personal"),
    (GRADE, "scale: {zero: 0, full: 60}", "scale: {zero: 60, full: 60}", "a scale without length"),
    (GRADE, "    scale: {zero: 0, full: 60}\n", "", "is scored by nothing"),
    (GRADE, "choices: {A: 100, B: 80, C: 50, D: 0}", "choices: {A: 100, B: 80, C: 50}", "no points for D"),
    (GRADE, "choices: {clean: 100,", "choices: {spotless: 100,", "is never 'spotless'"),
    (GRADE, 'choices: {"true": 100, "false": 0}', 'choices: {"true": 100}', "no points for false"),
    (GRADE, "owner: department_manager", "owner: nobody", "no role 'nobody'"),
    (GRADE, "      purchase_quantity: 3600", "      purchase_kwantity: 3600", "no item or total 'purchase_kwantity'"),
    (GRADE, "missing: unknown", "missing: perhaps", "missing"),
    (GRADE, "kind: retail", "kind: retail\nflavour: sweet", "flavour: Extra inputs"),
    (GRADE, "id: quarterly", "id: yearly", "id 'yearly' is not the file's name"),
    (BASIC, "codelist: retail-format", "codelist: nowhere", "no code list 'nowhere'"),
    (
        BASIC,
        "codelist: retail-format\n",
        "codelist: tax-type\n    choices: {a: {zh: a, en: a}}\n",
        "both codelist",
    ),
    (BASIC, "    codelist: retail-format\n", "", "a code without allowed values"),
    (BASIC, "code: shop_name", "code: customer_code", "'customer_code' stands twice"),
    (BASIC, "code: shop_name", "code: contact_phone", "personal has 'contact_phone'"),
    (BASIC, "use: name", "use: number", "serves as number too"),
    (BASIC, "pattern: '[0-9]{6}'", "pattern: '[0-9'", "pattern"),
    (BASIC, "maintained_by: department_manager", "maintained_by: nobody", "is kept by nobody"),
    (SALES, 'formula: "total.orders_12m"', 'formula: "total.orders_99m"', "unknown_field"),
    (SALES, 'formula: "total.orders_12m"', "formula: \"'many'\"", "the expression is of type text"),
    (SALES, '    formula: "total.orders_12m"\n', "", "has a formula and no keeper"),
    (SALES, "    of: quantity\n", "", "sum of None"),
    (REPORT, "expression: unique(loan_no)", "expression: unique(loan)", "unknown_field"),
    (REPORT, "expression: unique(loan_no)", "expression: count()", "the expression is of type number"),
    (REPORT, "phase: table", "phase: row", "not_available"),
    (REPORT, "id: loan-once", "id: lead-only", "'lead-only' stands twice"),
    (REPORT, "row_key: [loan_no]", "row_key: [loan]", "no column 'loan'"),
    (REPORT, "calendar: cn", "calendar: moon", "no calendar 'moon'"),
    (REPORT, "of: customer_code\n    where", "where", "distinct of None"),
    (REPORT, "    of: customer_code\n    where", "    of: customer\n    where", "no column 'customer'"),
    (REPORT, "gather: distinct", "gather: sum", "which is no number"),
    (REPORT, "where: defaulted", "where: amount", "the expression is of type money"),
    (REPORT, "field: loan_no", "field: loan", "no column or figure 'loan'"),
    (REPORT, 'zh: "贷款编号重复：{seen}', 'zh: "贷款编号重复：{saw}', "nothing fills {saw}"),
    (REPORT, "rows: [{loan_no: L-0001}, {loan_no: L-0001}], passes: false", "rows: [], passes: true", "all end alike"),
    (MESSAGE, 'en: "The grade is now {grade}"', 'en: "The grade is now"', "only one language has {grade}"),
    (MESSAGE, "由{before}变为", "变为", "only one language has {before}"),
    (MESSAGE, "  before:\n", "  spare:\n", "nothing fills {before}"),
    (MESSAGE, "shown_by: customer.grade.read", "shown_by: customer.grade.sing", "no action customer.grade.sing"),
    (CALENDAR, "status: provisional", "status: firm", "firm 2027"),
    (CALENDAR, "last: 2025-02-04", "last: 2025-01-04", "2025-01-04 is before 2025-01-28"),
    (CALENDAR, "worked: [2026-01-04]", "worked: [2026-01-05]", "2026-01-05 is no weekend day"),
    (APPROVAL, "action: registration.approve", "action: registration.sing", "no action registration.sing"),
    (APPROVAL, "action: registration.approve", "action: registration.read", "also who proposed it"),
    (APPROVAL, "roles: [department_manager,", "roles: [nobody,", "no role 'nobody'"),
    (APPROVAL, "roles: [department_manager,", "roles: [auditor,", "auditor does not grant registration.approve"),
    (APPROVAL, "days: 15", "days: 0", "it is over as soon as it begins"),
    (APPROVAL, "    roles:", "    when: important\n    roles:", "each step has a condition"),
    (APPROVAL, "    roles:", "    when: vital\n    roles:", "unknown_field"),
    (APPROVAL, "  - facts: {important: false}", "  - facts: {vital: false}", "no fact 'vital'"),
    (APPROVAL, "open: [department]\n    refused", "open: [board]\n    refused", "no step 'board'"),
    (REGISTRATION, "unless_did: [draft, submit]", "unless_did: [draft, sing]", "no action 'sing'"),
    (IMPORTANCE, "business_area >= 500", "business_area + 500", "wrong_type"),
    (IMPORTANCE, "business_area >= 500", "purchase_quantity >= 500", "unknown_field"),
    (IMPORTANCE, "values: {business_area: 500}", "values: {size: 500}", "no item 'size'"),
    (ROLE, "clearance: secret", "clearance: cosmic", "clearance"),
    (HEAD, "above: [customer_manager]", "above: [nobody]", "nobody is no role below it"),
    (HEAD, "above: [customer_manager]", "above: [department_manager]", "department_manager is no role below it"),
    (ROLE, "resource: entry", "resource: entrance", "no action entrance.prove"),
    (ROLE, "actions: [prove, read]", "actions: [prove, sing]", "no action entry.sing"),
    (ROLE, "fields: [general,", "fields: [gossip,", "no field class 'gossip'"),
    (ROLE, "action: entry.read, allowed: true", "action: entry.read, allowed: false", "entry.read: not so"),
    (
        ROLE,
        "{resource: dead_letter, actions: [read]}",
        "{resource: dead_letter, actions: [read], units: own}",
        "knows no",
    ),
    (
        ROLE,
        "{resource: entry, actions: [prove, read]}",
        "{resource: entry, actions: [prove], units: subtree}",
        "knows no",
    ),
    (KEPT, "hand_over, take_over", "take_over", "kept in custody without custody.hand_over"),
    (RESOURCE, "hand_over, take_over]", "hand_in, take_over]", "no action 'hand_in'"),
    (RESOURCE, "possible: true", "possible: false", "read: not so"),
    (RELATION, "{party: person, share: 40}", "{party: person}", "refused: share_required"),
    (RELATION, "certificates: certificate-type", "certificates: no-such-list", "no code list 'no-such-list'"),
    (RELATION, "unified_credit_code: uscc", "library_card: uscc", "no certificate 'library_card'"),
    (RELATION, "field_class: identity", "field_class: gossip", "no field class 'gossip'"),
    (CLOCK, "minutes: 30}", "minutes: 0}", "session_idle is over as soon as it begins"),
    (CLOCK, "09:30:00", "10:30:00", "session_idle ends 2026-11-02T09:30:00+08:00"),
    (CLOCK, "term: session_idle", "term: session_idol", "no term 'session_idol'"),
    (BASIC, "field_class: financial", "field_class: gossip", "no field class 'gossip'"),
    (DUPLICATE, "forms:", "kinds: [nobody]\nforms:", "no dictionary of kind 'nobody'"),
    (DUPLICATE, "form: number", "form: numeral", "no form 'numeral'"),
    (DUPLICATE, "items: [shop_name,", "items: [shop_nickname,", "no item 'shop_nickname'"),
    (DUPLICATE, "items: [shop_name,", "items: [business_area,", "'business_area' is no text"),
    (DUPLICATE, "alike: {least: 75, weight: 25}", "alike: {least: 75, weight: 50}", "likeness weighs more"),
    (DUPLICATE, "certain: 100", "certain: 50", "needs less than a possible one"),
    (DUPLICATE, "certain: 100", "certain: 900", "all rules together do not reach it"),
    (DUPLICATE, "  - id: phone", "  - id: name", "'name' stands twice"),
    (DUPLICATE, "rules: [licence]", "rules: [license]", "no rule 'license'"),
    (DUPLICATE, "- one: {shop_name", "- one: {shop_nickname", "no item 'shop_nickname'"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REAL, tmp_path / "regimes"))


@pytest.mark.parametrize(("file", "right", "wrong", "said"), MISTAKES)
def test_a_mistake_is_found_where_it_stands(root: Path, file: str, right: str, wrong: str, said: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    _, problems = inspect(root)
    found = [problem for problem in problems if said in problem.message]
    assert [problem.file for problem in found[:1]] == [file], problems
    assert 1 <= found[0].line <= len(path.read_text(encoding="utf-8").splitlines())


def test_a_problem_names_the_very_line(root: Path) -> None:
    path = root / GRADE
    text = path.read_text(encoding="utf-8").replace("expression: variety_count", "expression: variety_kount")
    path.write_text(text, encoding="utf-8")
    line = text.splitlines().index("    expression: variety_kount") + 1
    _, problems = inspect(root)
    assert [(problem.file, problem.line) for problem in problems] == [(GRADE, line)]
    assert "variety_count" in problems[0].hint
    assert str(problems[0]).startswith(f"{GRADE}:{line}: unknown_field")


def test_all_problems_of_all_files_are_told_at_once(root: Path) -> None:
    for file, right, wrong, _ in MISTAKES[:2]:
        path = root / file
        path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    (root / ROLE).write_text("id: [", encoding="utf-8")
    (root / "stray.yaml").write_text("a: 1", encoding="utf-8")
    (root / "company" / "spell").mkdir()
    (root / "company" / "spell" / "x.yaml").write_text("id: x", encoding="utf-8")
    _, problems = inspect(root)
    assert {problem.file for problem in problems} == {GRADE, ROLE, "stray.yaml", "company/spell/x.yaml"}
    assert list(problems) == sorted(problems)


def test_two_files_cannot_state_the_same_thing_from_the_same_day(root: Path) -> None:
    copy = root / "retail-customer" / "grade" / "other.yaml"
    text = (root / GRADE).read_text(encoding="utf-8").replace("id: quarterly", "id: other")
    copy.write_text(text, encoding="utf-8")
    _, problems = inspect(root)
    assert len(problems) == 1
    assert "is already stated by" in problems[0].message


def test_a_name_belongs_to_one_measure(root: Path) -> None:
    path = root / "bank-risk" / "message" / "grade-changed.2027-01-01.yaml"
    path.parent.mkdir()
    text = (root / MESSAGE).read_text(encoding="utf-8").replace("2025-01-01", "2027-01-01")
    path.write_text(text, encoding="utf-8")
    _, problems = inspect(root)
    assert [problem.message for problem in problems] == ["message 'grade-changed' belongs to bank-risk"]


def test_an_empty_folder_is_a_problem_and_not_an_empty_suite(tmp_path: Path) -> None:
    _, problems = inspect(tmp_path / "nowhere")
    assert problems == (Problem(".", 1, "no definitions below nowhere", "point to the regimes folder"),)
