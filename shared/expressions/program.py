"""From text to a program: the one place where the stages meet.

Called by loaders of regimes (once per definition) and by services (once per record). Everything that could fail for
the text fails here, within a budget; what is left for evaluation is bounded by `cost`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.expressions.check import Checker
from shared.expressions.context import Context
from shared.expressions.errors import ExpressionError, problem
from shared.expressions.evaluate import Closures
from shared.expressions.explain import Step, steps
from shared.expressions.formatter import text_of
from shared.expressions.forms import FORMS, GROUPED
from shared.expressions.functions import STANDARD, Function, Functions
from shared.expressions.groups import Closure
from shared.expressions.parser import parse
from shared.expressions.patterns import pattern
from shared.expressions.tree import Call, Field, Literal, Node, walk
from shared.expressions.types import Row, Schema, Type, Value


@dataclass(frozen=True, slots=True)
class Budget:
    """What a text may ask for: characters, nodes, nested brackets, depth of the tree, and cost in plain nodes."""

    length: int = 8_000
    nodes: int = 500
    nesting: int = 40
    depth: int = 100
    cost: int = 20_000


STANDARD_BUDGET = Budget()


@dataclass(frozen=True)
class Program:
    """A checked expression, safe to share between threads. `text` is canonical; `fields` are the names it reads; `cost`
    bounds one evaluation in plain nodes (a group function's pass over the table apart); `tree` and `types` are for
    other back ends."""

    text: str
    type: Type
    fields: frozenset[str]
    cost: int
    tree: Node = field(repr=False, compare=False)
    types: Mapping[Node, Type] = field(repr=False, compare=False)
    _closures: Mapping[Node, Closure] = field(repr=False, compare=False)

    def evaluate(self, row: Row, context: Context) -> Value | None:
        """The value for `row`, None if unknown. Raises RowError or ContextError if the caller broke the schema."""
        value: Value | None = self._closures[self.tree](row, context)
        return value

    def explain(self, row: Row, context: Context) -> tuple[Step, ...]:
        """Every sub-expression that took part, with its value; the last step is the whole."""
        return tuple(steps(self.tree, self._closures, row, context))


def compile(text: str, schema: Schema, *, functions: Functions = STANDARD, budget: Budget = STANDARD_BUDGET) -> Program:
    """The program of `text` over `schema`; raises ExpressionError with all that is wrong."""
    shadowed = FORMS.keys() & functions.keys()
    if shadowed:
        raise ValueError(f"functions may not be called {', '.join(sorted(shadowed))}")
    tree, nodes = _parsed(text, budget)
    checker = Checker(text, schema, functions)
    kind = checker.check(tree)
    if checker.problems or kind is None:
        raise ExpressionError(checker.problems)
    if kind is Type.NULL:
        raise _refused(text, tree.at, "wrong_type", "an expression that is always null", "a value")
    cost = sum(_cost(node, checker.overloads) for node in nodes)
    if cost > budget.cost:
        raise _refused(text, 0, "too_costly", f"a cost of {cost}", f"at most {budget.cost}")
    closures = Closures(checker.types, checker.overloads)
    closures.build(tree)
    names = frozenset(node.name for node in nodes if isinstance(node, Field))
    return Program(text_of(tree), kind, names, cost, tree, checker.types, closures.of)


def format(text: str, *, budget: Budget = STANDARD_BUDGET) -> str:
    """The canonical spelling of `text`; raises ExpressionError if it cannot be parsed within the budget."""
    tree, _ = _parsed(text, budget)
    return text_of(tree)


def names(text: str, *, budget: Budget = STANDARD_BUDGET) -> frozenset[str]:
    """The fields that `text` reads, whatever their types; raises ExpressionError if it cannot be parsed."""
    return frozenset(node.name for node in _parsed(text, budget)[1] if isinstance(node, Field))


def _parsed(text: str, budget: Budget) -> tuple[Node, list[Node]]:
    """The tree of `text` and all its nodes; what comes after may recurse over it safely."""
    if len(text) > budget.length:
        raise _refused(text, 0, "too_long", f"{len(text)} characters", f"at most {budget.length}")
    tree = parse(text, nesting=budget.nesting)
    found = list(walk(tree))
    if len(found) > budget.nodes:
        raise _refused(text, 0, "too_many_nodes", f"{len(found)} nodes", f"at most {budget.nodes}")
    deepest, depth = max(found, key=lambda pair: pair[1])
    if depth > budget.depth:
        raise _refused(text, deepest.at, "too_deep", f"a depth of {depth}", f"at most {budget.depth}")
    return tree, [node for node, _ in found]


def _cost(node: Node, overloads: Mapping[Call, Function]) -> int:
    match node:
        case Literal():
            return 0
        case Call(name="matches", arguments=(_, Literal(value=written))):
            return 5 + pattern(str(written)).ways // 10
        case Call(name=name):
            return 5 if name in GROUPED else overloads[node].cost if node in overloads else 2
        case _:
            return 1


def _refused(text: str, at: int, code: str, seen: str, expected: str) -> ExpressionError:
    return ExpressionError([problem(text, at, code, seen, expected)])
