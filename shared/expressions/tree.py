"""The nodes of a parsed expression: plain data, shared by every back end. No meaning lives here.

Nodes compare by identity (stages annotate them in dictionaries); `repr` leaves positions out and so shows structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.expressions.types import Value


@dataclass(frozen=True, eq=False, slots=True)
class Literal:
    """A constant; `None` is the literal `null`. Numbers are Decimals of the written digits."""

    value: Value | None
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """A field of the row."""

    name: str
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Unary:
    """`-x` or `not x`."""

    operator: str
    operand: Node
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Binary:
    """Arithmetic `+ - * /` or a comparison `== != < <= > >=`; `at` is the operator's place."""

    operator: str
    left: Node
    right: Node
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Logic:
    """`and` or `or` over two or more operands: a chain is one node, so its length costs no depth."""

    operator: str
    operands: tuple[Node, ...]
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """`item in [options]`; options are literals."""

    item: Node
    options: tuple[Literal, ...]
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Conditional:
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node
    at: int = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """A function over its arguments."""

    name: str
    arguments: tuple[Node, ...]
    at: int = field(repr=False)


Node = Literal | Field | Unary | Binary | Logic | Member | Conditional | Call


def children(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 - one return a kind of node
    """The direct sub-expressions, in the order of the text."""
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Logic(operands=operands):
            return operands
        case Member(item=item, options=options):
            return (item, *options)
        case Conditional(test=test, then=then, otherwise=otherwise):
            return (test, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node with its depth (the root's is 1), parents before children; needs no recursion."""
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        yield node, depth
        pending.extend((child, depth + 1) for child in reversed(children(node)))
