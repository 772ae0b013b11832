"""Judging a table by its declared report, phase by phase. Pure: report, code lists and prior figures are arguments.

    envelope → cell → row → table → prior period

A rule is asked only about rows whose cells it reads were let through, so that one bad cell is not reported five times;
what was left out, and what did not run at all, is part of the judgement. Called by the judges (processes) and, for the
prior period, by the submission service.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context as Arithmetic
from decimal import Decimal, localcontext
from typing import Any

from services.reporting.submission import cell, wording
from services.reporting.submission.finding import Group, Stage, StageRun, Tally, shown
from services.reporting.submission.sheet import Cells, Sheet
from shared.expressions import Context, Program
from shared.regime import (
    BadValue,
    Column,
    Figure,
    Gathering,
    MissingFact,
    Phase,
    Report,
    Rule,
    Secrecy,
    Severity,
    Text,
    highest,
)  # fmt: skip
from shared.regime.vocabulary import compiled

BLOCKING = frozenset({Severity.REJECT, Severity.ERROR})
PREFIX = "total."
MOST_DIGITS = 38

Row = dict[str, Any]
Figures = Mapping[str, Decimal | None]
Codes = Mapping[str, Mapping[str, Text]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong (`groups`, in the order of phases and rules), what ran, and the table's figures."""

    rows: int
    groups: tuple[Group, ...]
    stages: tuple[StageRun, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Check:
    """A declared rule, compiled; `reads` are the columns (or figures) that it looks at."""

    rule: Rule
    when: Program | None
    holds: Program
    reads: frozenset[str]

    def passes(self, row: Mapping[str, Any], context: Context) -> bool:
        """Whether the row passes: the rule does not apply, holds, or cannot be decided and says that this is fine."""
        if self.when is not None and self.when.evaluate(row, context) is not True:
            return True
        held = self.holds.evaluate(row, context)
        return self.rule.missing is MissingFact.PASS if held is None else held is True


@dataclass(slots=True)
class Table:
    """A table on its way through the phases: raw and cast rows by number, and the cells that were refused."""

    raw: Mapping[int, Cells]
    rows: dict[int, Row]
    refused: dict[int, set[str]]
    absent: frozenset[str]

    def refuse(self, number: int, column: str) -> None:
        self.refused.setdefault(number, set()).add(column)

    def has_refused(self, columns: frozenset[str]) -> bool:
        """Whether any cell of these columns was refused."""
        return not columns.isdisjoint(self.absent) or any(
            not columns.isdisjoint(each) for each in self.refused.values()
        )


class Judge:
    """Judges submissions of one report as it is declared on one day."""

    def __init__(self, report: Report, codes: Codes) -> None:
        self.report = report
        self._codes = codes
        self._labels = {name: {code: text.zh for code, text in listed.items()} for name, listed in codes.items()}
        self._columns = {column.code: column for column in report.columns}
        self._checks: dict[Phase, list[Check]] = {phase: [] for phase in Phase}
        lists = frozenset(codes)
        for rule in report.rules:
            self._checks[rule.phase].append(check_of(report, rule, lists))
        self._wheres = {figure.code: self._where(figure, lists) for figure in report.figures}

    def _where(self, figure: Figure, lists: frozenset[str]) -> Program | None:
        return None if figure.where is None else compiled(figure.where, self.report.schema_of(Phase.ROW, lists))

    def judge(self, sheet: Sheet) -> Judgement:
        """All phases but the last, which needs the figures of the period before."""
        groups = list(self._envelope(sheet))
        if not sheet.rows:
            why = "no_rows"
            stages = [StageRun(stage, ran=False, why_not=why) for stage in (Stage.CELL, Stage.ROW, Stage.TABLE)]
            return Judgement(sheet.count, tuple(groups), (StageRun(Stage.ENVELOPE, ran=True), *stages), {})
        table = self._cast(sheet, groups)
        stages = [StageRun(Stage.ENVELOPE, ran=True), self._run(Stage.CELL, table, groups)]
        stages += [self._run(stage, table, groups) for stage in (Stage.ROW, Stage.TABLE)]
        return Judgement(sheet.count, tuple(groups), tuple(stages), self._figures(table))

    def compare(self, judgement: Judgement, prior: Figures | None) -> Judgement:
        """The judgement with its last phase; `prior` are the figures last accepted for the period before, if any."""
        checks = self._checks[Phase.PRIOR_PERIOD]
        figures = {PREFIX + code: value for code, value in judgement.figures.items()}
        not_run = tuple(check.rule.id for check in checks if any(figures.get(name) is None for name in check.reads))
        why_not = (
            "no_prior_period" if prior is None else "refused_cells" if checks and len(not_run) == len(checks) else None
        )
        if prior is None or why_not:
            stage = StageRun(Stage.PRIOR_PERIOD, ran=False, why_not=why_not, rules_not_run=not_run)
            return replace(judgement, stages=(*judgement.stages, stage))
        context = Context(lists=self._labels, prior_rows=[{PREFIX + code: value for code, value in prior.items()}])
        groups = [
            self._group(check.rule, _moved(check.rule, prior, judgement.figures))
            for check in checks
            if check.rule.id not in not_run and not check.passes(figures, context)
        ]
        stage = StageRun(Stage.PRIOR_PERIOD, ran=True, rules_not_run=not_run)
        return replace(judgement, groups=(*judgement.groups, *groups), stages=(*judgement.stages, stage))

    def _envelope(self, sheet: Sheet) -> Iterator[Group]:
        for oddity, tally in sheet.oddities.items():
            expected, message = wording.EXPECTED[oddity], wording.MESSAGE[oddity]
            yield _tallied(
                f"envelope.{oddity}", Stage.ENVELOPE, Severity.REJECT, None, Secrecy.PUBLIC, expected, message, tally
            )

    def _cast(self, sheet: Sheet, groups: list[Group]) -> Table:
        """Read every cell, column by column: values of a column repeat, and each is read once."""
        table = Table(sheet.rows, {number: {} for number in sheet.rows}, {}, sheet.absent)
        for column in self.report.columns:
            if column.code not in sheet.absent:
                groups.extend(self._cast_column(column, table))
        return table

    def _cast_column(self, column: Column, table: Table) -> Iterator[Group]:
        code, read = column.code, _memory(column, self._codes)
        tallies: dict[str, Tally] = {}
        for number, cells in table.raw.items():
            raw = cells.get(code)
            if raw is None or raw == "":
                if not column.required:
                    continue
                fault = cell.REQUIRED
            else:
                value = read(raw)
                if not isinstance(value, BadValue):
                    table.rows[number][code] = value
                    continue
                fault = value.code
            table.refuse(number, code)
            self._note(tallies.setdefault(fault, Tally()), number, table, raw)
        for fault, tally in tallies.items():
            expected, message = cell.expectation(column, fault), cell.message(column, fault)
            yield _tallied(
                f"cell.{fault}", Stage.CELL, Severity.ERROR, code, self._secrecy(code), expected, message, tally
            )

    def _run(self, stage: Stage, table: Table, groups: list[Group]) -> StageRun:
        """Ask the rules of one phase about every row; cells that a cell rule blocks are refused from then on."""
        left_out: set[int] = set()
        not_run: list[str] = []
        blocked: list[tuple[int, str]] = []
        for check in self._checks[Phase(stage.value)]:
            if not check.reads.isdisjoint(table.absent):
                not_run.append(check.rule.id)
                continue
            out = {number for number, columns in table.refused.items() if not columns.isdisjoint(check.reads)}
            left_out |= out
            asked = {number: row for number, row in table.rows.items() if number not in out} if out else table.rows
            context = Context(lists=self._labels, rows=list(asked.values()))
            failed = [number for number, row in asked.items() if not check.passes(row, context)]
            if not failed:
                continue
            groups.append(self._failures(check, failed, table))
            if stage is Stage.CELL and check.rule.severity in BLOCKING:
                blocked += [(number, column) for number in failed for column in check.reads]
        for number, column in blocked:
            table.refuse(number, column)
        return StageRun(stage, ran=True, rows_left_out=len(left_out), rules_not_run=tuple(not_run))

    def _failures(self, check: Check, failed: Sequence[int], table: Table) -> Group:
        tally = Tally()
        field = check.rule.field
        for number in failed:
            self._note(tally, number, table, table.raw[number].get(field) if field else None)
        return self._group(check.rule, tally)

    def _note(self, tally: Tally, number: int, table: Table, raw: object) -> None:
        if tally.is_full:
            tally.count += 1
            return
        cells = table.raw[number]
        key = {code: shown(cells[code]) for code in self.report.row_key if not cell.is_missing(cells.get(code))}
        tally.add(number, key, None if cell.is_missing(raw) else shown(raw))

    def _group(self, rule: Rule, tally: Tally) -> Group:
        stage, secrecy = Stage(rule.phase.value), self._secrecy(rule.field)
        return _tallied(rule.id, stage, rule.severity, rule.field, secrecy, rule.expected, rule.message, tally)

    def _secrecy(self, field: str | None) -> Secrecy:
        """Of what a finding quotes: the field and the row's key; of a figure, all that it may be made of."""
        quoted = {field, *self.report.row_key} if field in self._columns else self._columns.keys()
        return highest([self._columns[code].secrecy for code in quoted if code is not None])

    def _figures(self, table: Table) -> Figures:
        return {figure.code: self._figure(figure, table) for figure in self.report.figures}

    def _figure(self, figure: Figure, table: Table) -> Decimal | None:
        """The figure, None (unknown) if a cell that it needs was refused."""
        where = self._wheres[figure.code]
        needs = (where.fields if where else frozenset()) | ({figure.of} if figure.of else set())
        if table.has_refused(frozenset(needs)):
            return None
        context = Context(lists=self._labels)
        rows = [row for row in table.rows.values() if where is None or where.evaluate(row, context) is True]
        return _gathered(figure, rows)


def check_of(report: Report, rule: Rule, lists: frozenset[str]) -> Check:
    """Compile a rule of a report."""
    schema = report.schema_of(rule.phase, lists)
    when = None if rule.when is None else compiled(rule.when, schema)
    holds = compiled(rule.expression, schema)
    return Check(rule, when, holds, holds.fields | (when.fields if when else frozenset()))


def _memory(column: Column, codes: Codes) -> Callable[[Any], Any]:
    """Reads cells of a column, each distinct raw value once; a refused one comes back as its BadValue."""
    allowed = None if column.codelist is None else codes[column.codelist]
    known: dict[tuple[type, Any], Any] = {}

    def read(raw: Any) -> Any:
        if isinstance(raw, list | dict):
            return BadValue("wrong_type", "", "")
        name = (type(raw), raw)
        value = known.get(name)
        if value is None:
            try:
                value = cell.read_cell(column, raw, allowed)
            except BadValue as bad:
                value = bad
            known[name] = value
        return value

    return read


def _gathered(figure: Figure, rows: Sequence[Row]) -> Decimal:
    if figure.of is None:
        return Decimal(len(rows))
    values = [row[figure.of] for row in rows if row.get(figure.of) is not None]
    if figure.gather is Gathering.DISTINCT:
        return Decimal(len(set(values)))
    with localcontext(Arithmetic(prec=MOST_DIGITS)):
        return sum(map(Decimal, values), Decimal(0))


def _moved(rule: Rule, prior: Figures, figures: Figures) -> Tally:
    tally = Tally()
    name = rule.field or ""
    tally.add(None, {}, f"{_written(prior.get(name))} → {_written(figures.get(name))}")
    return tally


def _written(figure: Decimal | None) -> str:
    return "?" if figure is None else format(figure, "f")


def _tallied(
    rule: str,
    stage: Stage,
    severity: Severity,
    field: str | None,
    secrecy: Secrecy,
    expected: Text,
    message: Text,
    tally: Tally,
) -> Group:
    return Group(rule, stage, severity, field, secrecy, expected, message, tally.count, tuple(tally.samples))
