"""Every example of every definition runs: what a measure's files claim is what the shared vocabulary makes of them.

Grades are reckoned here a second time, plainly, so that the policy's figures do not rest on the code that serves them.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from shared.approvals import Given, Procedure
from shared.errors import Forbidden
from shared.expressions import Context, Schema, Type
from shared.regime import (
    Approval,
    Attachment,
    BadValue,
    Cadence,
    Calendar,
    Catalogue,
    Codelist,
    Covers,
    Credit,
    GradePolicy,
    Importance,
    Indicator,
    ItemRule,
    Maintenance,
    Message,
    Missing,
    MissingFact,
    Part,
    Phase,
    QualityPolicy,
    Regimes,
    Relation,
    Report,
    Role,
    Rule,
    Text,
    ValueField,
    load,
    load_value,
    read_value,
)
from shared.regime.dictionary import Dictionary
from shared.regime.field import FieldType
from shared.regime.vocabulary import TYPES, compiled

REGIMES = load(Path(__file__).parents[2] / "regimes")


def each(shape: type) -> list[object]:
    """Return one pytest parameter for every example of every definition of a kind."""
    found = [definition for definition in REGIMES.definitions if isinstance(definition, shape)]
    return [
        pytest.param(definition, example, id=f"{definition.key}-{number}")
        for definition in found
        for number, example in enumerate(definition.examples)
    ]


def faults_of(fields: Mapping[str, ValueField], raw: Mapping[str, object], on: date) -> dict[str, str]:
    found = {}
    for code, value in raw.items():
        field = fields[code]
        codes = REGIMES.codelist(field.codelist, on=on).codes if field.codelist else None
        try:
            read_value(field, value, codes)
        except BadValue as bad:
            found[code] = bad.code
    return found


@pytest.mark.req("R1.1")
@pytest.mark.parametrize(("group", "example"), each(Dictionary))
def test_items_accept_and_refuse_the_values_that_their_group_says(group: Dictionary, example) -> None:
    catalogue = REGIMES.catalogue(group.kind, on=group.effective_from)
    items = {code: item for code, item in catalogue.items.items() if catalogue.group_of[code] == group.id}
    assert faults_of(items, example.values, group.effective_from) == example.faults


ITEM_RULE_EXAMPLES = [
    pytest.param(group, rule, example, id=f"{group.key}-{rule.id}-{number}")
    for group in REGIMES.definitions
    if isinstance(group, Dictionary)
    for rule in group.rules
    for number, example in enumerate(rule.examples)
]


@pytest.mark.req("R1.4")
@pytest.mark.parametrize(("group", "rule", "example"), ITEM_RULE_EXAMPLES)
def test_a_rule_across_items_passes_and_refuses_what_it_says(group: Dictionary, rule: ItemRule, example) -> None:
    on = group.effective_from
    catalogue, lists = REGIMES.catalogue(group.kind, on=on), REGIMES.labels(on=on)
    schema = Schema(catalogue.rule_types, frozenset(lists))
    row = {code: load_value(catalogue.items[code].type, raw) for code, raw in example.values.items()}
    row["today"] = date.fromisoformat(example.today) if example.today else on
    applies = rule.when is None or compiled(rule.when, schema).evaluate(row, Context(lists)) is True
    broken = applies and compiled(rule.expression, schema).evaluate(row, Context(lists)) is False
    assert broken is not example.passes


@pytest.mark.parametrize(("codelist", "example"), each(Codelist))
def test_a_code_list_has_the_codes_that_it_says(codelist: Codelist, example) -> None:
    assert (example.code in codelist.codes) is example.listed


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(("kind", "example"), each(Relation))
def test_a_kind_of_relation_refuses_what_it_says(kind: Relation, example) -> None:
    assert kind.refuses(example.party, example.share) == example.refused


@pytest.mark.req("R5.3")
@pytest.mark.parametrize(("kind", "example"), each(Attachment))
def test_a_kind_of_attachment_refuses_what_it_says(kind: Attachment, example) -> None:
    assert kind.refuses(example.format, example.secrecy) == example.refused


@pytest.mark.req("R7.5")
@pytest.mark.parametrize(("credit", "example"), each(Credit))
def test_a_bill_falls_due_when_the_terms_say(credit: Credit, example) -> None:
    term = example.days if 1 <= example.days <= credit.longest.days else None
    assert (None if term is None else credit.latest(example.supplied, term)) == example.latest


@pytest.mark.req("R2.2")
@pytest.mark.parametrize(("role", "example"), each(Role))
def test_a_role_allows_what_it_says(role: Role, example) -> None:
    assert role.allows(example) is example.allowed


@pytest.mark.req("R7.2")
@pytest.mark.parametrize(("approval", "example"), each(Approval))
def test_people_agree_in_the_order_that_an_approval_says(approval: Approval, example) -> None:
    procedure, given = Procedure(approval, example.facts), list[Given]()
    for position, each in enumerate(example.agreed, 1):
        try:
            step = procedure.step_for(f"staff/{each.by}", {each.role}, given, lambda role: role not in example.absent)
        except Forbidden:
            assert (example.refused, position) == (True, len(example.agreed))
            break
        assert step.id == each.step
        given.append(Given(step.id, f"staff/{each.by}"))
    else:
        assert not example.refused
    assert tuple(step.id for step in procedure.open(given)) == example.open


@pytest.mark.req("R5.6")
@pytest.mark.parametrize(("importance", "example"), each(Importance))
def test_a_customer_is_as_important_as_the_measure_says(importance: Importance, example) -> None:
    items = REGIMES.catalogue(importance.kind, on=importance.effective_from).items
    program = compiled(importance.expression, Schema({code: TYPES[item.type] for code, item in items.items()}))
    row = {code: load_value(items[code].type, value) for code, value in example.values.items()}
    found = program.evaluate(row, Context())
    assert (importance.missing if found is None else found) is example.important


@pytest.mark.req("R4.2")
@pytest.mark.parametrize(("calendar", "example"), each(Calendar))
def test_a_day_is_worked_or_not_as_the_calendar_says(calendar: Calendar, example) -> None:
    assert calendar.works(example.day) is example.works


@pytest.mark.parametrize(("message", "example"), each(Message))
def test_an_event_makes_the_text_that_its_message_says(message: Message, example) -> None:
    def filled(template: Text, language: str) -> str:
        text = template.of(language)
        for name, slot in message.slots.items():
            value = example.event
            for step in slot.path.split("."):
                value = value[step]
            if value is None:
                assert slot.absent is not None, f"{name} has to be there"
                value = slot.absent.of(language)
            text = text.replace(f"{{{name}}}", str(value))
        return text

    for language in ("zh", "en"):
        assert filled(message.subject, language) == example.subject.of(language)
        assert filled(message.body, language) == example.body.of(language)


def points_of(indicator: Indicator, value: object) -> Decimal:
    if indicator.choices is not None:
        return Decimal(indicator.choices[str(value).lower() if isinstance(value, bool) else str(value)])
    assert isinstance(value, Decimal)
    if indicator.bands is not None:
        return Decimal(next(band.points for band in indicator.bands if band.below is None or value < band.below))
    assert indicator.scale is not None
    share = (value - indicator.scale.zero) / (indicator.scale.full - indicator.scale.zero)
    return 100 * min(max(share, Decimal(0)), Decimal(1))


def score_of(policy: GradePolicy, catalogue: Catalogue, inputs: Mapping[str, object]) -> Decimal | None:
    types = {code: item.type for code, item in catalogue.items.items()}
    types |= {f"total.{code}": total.type for code, total in catalogue.totals.items()}
    row = {name: load_value(types[name], value) for name, value in inputs.items()}
    total, weight = Decimal(0), 0
    for indicator in policy.indicators:
        value = compiled(indicator.expression, Schema(catalogue.types)).evaluate(row, Context())
        if value is None and indicator.missing is Missing.UNKNOWN:
            return None
        if value is None and indicator.missing is Missing.SKIP_AND_REWEIGH:
            continue
        weight += indicator.weight
        total += indicator.weight * (points_of(indicator, value) if value is not None else 0)
    if weight < policy.least_weight:
        return None
    return (total / weight).quantize(Decimal(1).scaleb(-policy.decimals), ROUND_HALF_UP)


@pytest.mark.req("R1.5")
@pytest.mark.parametrize(("policy", "example"), each(GradePolicy))
def test_a_file_gets_the_grade_that_its_policy_says(policy: GradePolicy, example) -> None:
    score = score_of(policy, REGIMES.catalogue(policy.kind, on=policy.effective_from), example.inputs)
    assert score == example.score
    if score is None:
        assert example.grade is None
    else:
        rank = next(each for each in policy.ranks if each.below is None or score < each.below)
        assert rank.grade == example.grade


def looked_at(policy: QualityPolicy, catalogue: Catalogue, example) -> list[tuple[Part, int, bool]]:
    """Each thing that is looked at: its part, its weight, whether it is right."""
    lists = REGIMES.labels(on=example.today)
    declared = {each.covers: each for each in REGIMES.all(Cadence, on=example.today) if each.concerns(catalogue.kind)}
    things = []

    def in_time(covers: str, verified: date) -> bool:
        cadence = declared[Covers(covers)]
        return cadence.following(verified, REGIMES.calendar(cadence.calendar, on=example.today)).due_on >= example.today

    for code, item in catalogue.items.items():
        weight, value = policy.items.of(item), example.values.get(code)
        things.append((Part.COMPLETENESS, weight, value is not None))
        if value is None:
            continue
        things.append((Part.ACCURACY, weight, not faults_of({code: item}, {code: value}, example.today)))
        if item.maintenance is Maintenance.REALTIME and Covers.REALTIME in declared:
            age = (example.today - example.verified).days
            things.append((Part.TIMELINESS, weight, code not in example.late or age >= policy.late_days))
        elif item.maintenance is not Maintenance.REALTIME and Covers(item.maintenance) in declared:
            verified = example.verified_else.get(code, example.verified)
            things.append((Part.TIMELINESS, weight, in_time(item.maintenance, verified)))
    row = {code: load_value(catalogue.items[code].type, value) for code, value in example.values.items()}
    row["today"] = example.today
    for rule in catalogue.rules.values():
        programs = [
            compiled(text, Schema(catalogue.rule_types, frozenset(lists)))
            for text in (rule.when or "true", rule.expression)
        ]
        applies, holds = (program.evaluate(row, Context(lists)) for program in programs)
        if applies is True and holds is not None:
            things.append((Part.ACCURACY, policy.rules.of(rule.id), holds is True))
    things.append((Part.TIMELINESS, policy.whole, in_time(Covers.FILE, example.checked)))
    return things


@pytest.mark.req("R1.4")
@pytest.mark.parametrize(("policy", "example"), each(QualityPolicy))
def test_a_file_is_as_good_as_its_policy_says(policy: QualityPolicy, example) -> None:
    def rounded(mark: Decimal) -> Decimal:
        return mark.quantize(Decimal(1).scaleb(-policy.decimals), ROUND_HALF_UP)

    catalogue = REGIMES.catalogue(example.kind, on=example.today)
    things, marks = looked_at(policy, catalogue, example), {}
    for part in Part:
        whole = sum(weight for of, weight, _ in things if of is part)
        if whole:
            right = sum(weight for of, weight, is_right in things if of is part and is_right)
            marks[part] = rounded(Decimal(100 * right) / whole)
    total = sum(mark * policy.parts[part] for part, mark in marks.items())
    score = rounded(total / sum(policy.parts[part] for part in marks))
    assert (marks, score) == (example.parts, example.score)
    assert policy.level_of(score).id == example.level


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(("report", "example"), each(Report))
def test_cells_are_accepted_or_refused_as_the_report_says(report: Report, example) -> None:
    columns = {column.code: column for column in report.columns}
    assert faults_of(columns, example.row, report.effective_from) == example.faults


RULE_EXAMPLES = [
    pytest.param(report, rule, example, id=f"{report.id}-{rule.id}-{number}")
    for report in REGIMES.definitions
    if isinstance(report, Report)
    for rule in report.rules
    for number, example in enumerate(rule.examples)
]


def verdicts(report: Report, rule: Rule, rows: list[dict[str, object]], prior: list[dict[str, object]]) -> list[bool]:
    lists = REGIMES.labels(on=report.effective_from)
    schema = report.schema_of(rule.phase, frozenset(lists))
    context = Context(lists=lists, rows=rows, prior_rows=prior)
    applies = compiled(rule.when, schema) if rule.when else None
    holds = compiled(rule.expression, schema)
    found = []
    for row in rows:
        answer = holds.evaluate(row, context)
        unknown = answer is None and rule.missing is MissingFact.PASS
        found.append((applies is not None and applies.evaluate(row, context) is not True) or unknown or answer is True)
    return found


def numbered(figures: Mapping[str, object]) -> list[dict[str, object]]:
    return [{f"total.{code}": load_value(FieldType.DECIMAL, value) for code, value in figures.items()}]


@pytest.mark.req("R4.1")
@pytest.mark.parametrize(("report", "rule", "example"), RULE_EXAMPLES)
def test_a_rule_passes_and_fails_what_it_says(report: Report, rule: Rule, example) -> None:
    if rule.phase is Phase.PRIOR_PERIOD:
        rows, prior = numbered(example.figures), numbered(example.prior) if example.prior else []
    else:
        columns = {column.code: column for column in report.columns}
        rows = [{code: typed(columns[code], raw) for code, raw in row.items()} for row in example.rows]
        prior = []
    assert all(verdicts(report, rule, rows, prior)) is example.passes


def typed(field: ValueField, raw: object) -> object:
    value = read_value(field, raw)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_formulas_of_system_items_give_values_that_their_items_accept() -> None:
    on = date(2026, 1, 1)
    catalogue = REGIMES.catalogue("retail", on=on)
    totals = {name: Decimal(7) for name in catalogue.total_types}
    for item in catalogue.system_items:
        program = compiled(str(item.formula), Schema(catalogue.total_types))
        value = program.evaluate(totals, Context())
        assert read_value(item, value) == value
        assert program.type in {Type.TEXT, Type.NUMBER, Type.MONEY}


def test_the_measures_load_with_one_identity() -> None:
    again: Regimes = load(Path(__file__).parents[2] / "regimes")
    assert again.hash == REGIMES.hash
