"""How a grade follows from a file: indicators, points, score, rank. Pure, exact in decimals (R1.5, R0.3).

score = sum of weight x points / weight that counts; an indicator without a value counts as its policy says. Points of
a scale are rounded to a few digits more than the score, so that what an explanation shows adds up to the score.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.customer.dealings.rules import Formulas
from shared.expressions import Context, Program, Schema, Value
from shared.expressions.tree import Literal, walk
from shared.regime import Catalogue, FieldType, GradePolicy, Indicator, Missing, Scale, load_value
from shared.regime.vocabulary import compiled

Score = Callable[[Value], Decimal | None]
_NONE = Decimal(0)
_FULL = Decimal(100)


@dataclass(frozen=True, slots=True)
class Checked:
    """One indicator of a check; `value` None: not known; `points` None: left out, or the reason that all is unknown."""

    id: str
    value: Value | None
    points: Decimal | None
    weight: int


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a policy for one customer; neither score nor grade while too little is known.

    `at_once`: a worse grade is to act at once. `customer_class`: where the policy declares any.
    """

    score: Decimal | None
    grade: str | None
    indicators: tuple[Checked, ...]
    at_once: bool = False
    customer_class: str | None = None


class Policy:
    """A declared policy, compiled once and applied to many customers.

    `names`: the items and totals that its expressions name. `fields` are the items and totals that count, system items
    resolved to the totals that they are computed from: a change of anything else cannot change a grade.
    """

    def __init__(
        self, declared: GradePolicy, catalogue: Catalogue, formulas: Formulas, lists: Mapping[str, Mapping[str, str]]
    ) -> None:
        schema = Schema(catalogue.types, frozenset(lists))
        self.declared = declared
        self.catalogue = catalogue
        self._context = Context(lists)
        self._formulas = formulas
        quantum = Decimal(1).scaleb(-declared.decimals)
        self._quantum = quantum
        self._indicators = [
            (each, compiled(each.expression, schema), _scoring(each, quantum.scaleb(-4)))
            for each in declared.indicators
        ]
        self._at_once = _condition(declared.hysteresis.at_once if declared.hysteresis is not None else None, schema)
        self._classes = [
            (each.code, _condition(each.when, schema))
            for each in (declared.classification.classes if declared.classification is not None else ())
        ]
        conditions = [self._at_once, *(program for _, program in self._classes)]
        programs = [*(program for _, program, _ in self._indicators), *filter(None, conditions)]
        read = frozenset[str]().union(*(program.fields for program in programs))
        self.names = read
        self.system = tuple(sorted(read & formulas.items.keys()))
        self.items = tuple(sorted(read & catalogue.items.keys() - formulas.items.keys()))
        self.fields = frozenset(self.items) | (read - catalogue.items.keys()) | formulas.totals_of(self.system)
        self._loaders: dict[str, FieldType] = {code: catalogue.items[code].type for code in self.items}
        self._ends = [each.below for each in declared.ranks if each.below is not None]
        self._reads = {each.id: program.fields for each, program, _ in self._indicators}
        self.behind_at_once = frozenset[str]() if self._at_once is None else self._at_once.fields
        self.behind_class = frozenset[str]().union(*(each.fields for _, each in self._classes if each is not None))
        self.totals = tuple(sorted((read | self._formulas.totals_of(self.system)) & catalogue.total_types.keys()))
        self.lists = frozenset(
            node.value for program in (*programs, *formulas.programs_of(self.system)) for node, _ in walk(program.tree)
            if isinstance(node, Literal) and isinstance(node.value, str) and node.value in lists
        )  # fmt: skip

    def reads(self, indicator: str) -> frozenset[str]:
        """The items and totals that an indicator reads, as they are named in its expression."""
        return self._reads.get(indicator, frozenset())

    def check(self, values: Mapping[str, object], totals: Mapping[str, Decimal | None]) -> Check:
        """Grade a customer from stored values of `items` (None: no value) and totals by `total.<code>`."""
        row: dict[str, object] = dict(totals)
        for code, kind in self._loaders.items():
            stored = values.get(code)
            if stored is not None:
                row[code] = load_value(kind, stored)
        if self.system:
            row.update(self._formulas.compute(totals, self.system))
        return self.judge(row)

    def judge(self, row: Mapping[str, object]) -> Check:
        """Grade a customer from a row of items and totals as expressions read it."""
        found: list[Checked] = []
        weighted, known, unknown = _NONE, 0, False
        context = self._context
        for indicator, program, score in self._indicators:
            value = program.evaluate(row, context)
            points = None if value is None else score(value)
            if points is None:
                if indicator.missing is Missing.ZERO:
                    points = _NONE
                elif indicator.missing is Missing.UNKNOWN:
                    unknown = True
            if points is not None:
                weighted += points * indicator.weight
                known += indicator.weight
            found.append(Checked(indicator.id, value, points, indicator.weight))
        at_once = self._at_once is not None and self._at_once.evaluate(row, context) is True
        customer_class = self._class(row)
        if unknown or known < self.declared.least_weight:
            return Check(None, None, tuple(found), at_once, customer_class)
        result = (weighted / known).quantize(self._quantum, ROUND_HALF_UP)
        grade = self.declared.ranks[bisect_right(self._ends, result)].grade
        return Check(result, grade, tuple(found), at_once, customer_class)

    def _class(self, row: Mapping[str, object]) -> str | None:
        for code, condition in self._classes:
            if condition is None or condition.evaluate(row, self._context) is True:
                return code
        return None


def _condition(text: str | None, schema: Schema) -> Program | None:
    return None if text is None else compiled(text, schema)


def _scoring(indicator: Indicator, quantum: Decimal) -> Score:
    """The function from an indicator's value to its points; None for a code that the policy does not list."""
    if indicator.bands is not None:
        ends = [band.below for band in indicator.bands if band.below is not None]
        points = [Decimal(band.points) for band in indicator.bands]
        return lambda value: points[bisect_right(ends, value)]
    if indicator.scale is not None:
        return _line(indicator.scale, quantum)
    choices = {code: Decimal(points) for code, points in (indicator.choices or {}).items()}
    words: Mapping[object, Decimal] = choices | {
        flag: choices[word] for flag, word in ((True, "true"), (False, "false")) if word in choices
    }
    return words.get


def _line(scale: Scale, quantum: Decimal) -> Score:
    zero, length = scale.zero, scale.full - scale.zero

    def points(value: Value) -> Decimal:
        assert isinstance(value, Decimal)
        share = (value - zero) * _FULL / length
        return min(max(share, _NONE), _FULL).quantize(quantum, ROUND_HALF_UP)

    return points


def touches(policy: Policy, touched: Sequence[str] | frozenset[str]) -> bool:
    """Whether a change of these items or totals can change a grade."""
    return not policy.fields.isdisjoint(touched)
