"""Text to tree: the grammar, by precedence climbing. Called by `compile` alone; knows no types.

    expression := operation [ "?" expression ":" expression ]
    operation  := prefix { operator operation }          or < and < not < comparison, in < + - < * / < unary -
    prefix     := "not" operation | "-" prefix | primary
    primary    := number | text | true | false | null | date('2026-01-31') | field | name(arguments) | ( expression )

Comparisons do not chain: `a < b < c` is refused rather than guessed at. `in` takes a list of literals.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from shared.expressions.errors import ExpressionError, problem
from shared.expressions.lexer import Kind, Token, tokens
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary
from shared.expressions.types import MOST_DIGITS

OR, AND, NOT, COMPARE, ADD, MULTIPLY, NEGATE = range(1, 8)
POWERS = {"or": OR, "and": AND, "in": COMPARE, "+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY} | dict.fromkeys(
    ("==", "!=", "<", "<=", ">", ">="), COMPARE
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_OPERAND = "a value, a field, a function or ("


def parse(source: str, *, nesting: int) -> Node:
    """The tree of `source`; brackets, choices and prefixes nest at most `nesting` deep. Raises at the first fault."""
    parser = _Parser(source, nesting)
    root = parser.expression()
    parser.expect(Kind.END, "an operator or the end")
    return root


class _Parser:
    def __init__(self, source: str, nesting: int) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._next = 0
        self._room = nesting

    def expression(self) -> Node:
        self._descend()
        test = self._operation(OR)
        question = self._accept("?")
        if question is not None:
            then = self.expression()
            self.expect(Kind.SYMBOL, ":", ":")
            test = Conditional(test, then, self.expression(), question.at)
        self._room += 1
        return test

    def expect(self, kind: Kind, expected: str, text: str | None = None) -> Token:
        token = self._tokens[self._next]
        if token.kind is not kind or (text is not None and token.text != text):
            raise self._error(token, expected)
        if kind is not Kind.END:
            self._next += 1
        return token

    def _operation(self, floor: int) -> Node:
        left = self._prefix(floor)
        compared = False
        while (power := self._power()) >= floor:
            operator = self._tokens[self._next]
            if power == COMPARE and compared:
                raise self._error(operator, "and, since comparisons do not chain")
            self._next += 1
            left = self._combine(operator, power, left)
            compared = power == COMPARE
        return left

    def _combine(self, operator: Token, power: int, left: Node) -> Node:
        if operator.text == "in":
            return Member(left, self._options(), operator.at)
        right = self._operation(power + 1)
        if power > AND:
            return Binary(operator.text, left, right, operator.at)
        operands = [left, right]
        while self._accept(operator.text):
            operands.append(self._operation(power + 1))
        return Logic(operator.text, tuple(operands), operator.at)

    def _power(self) -> int:
        token = self._tokens[self._next]
        return POWERS.get(token.text, 0) if token.kind is Kind.SYMBOL else 0

    def _prefix(self, floor: int) -> Node:
        for operator, power in (("not", NOT), ("-", NEGATE)):
            if floor <= power and (token := self._accept(operator)):
                self._descend()
                operand = self._operation(power)
                self._room += 1
                return Unary(operator, operand, token.at)
        return self._primary()

    def _primary(self) -> Node:
        token = self._tokens[self._next]
        if token.kind is Kind.NAME:
            self._next += 1
            return self._named(token)
        if token.kind is Kind.SYMBOL and token.text == "(":
            self._next += 1
            inner = self.expression()
            self.expect(Kind.SYMBOL, "an operator or )", ")")
            return inner
        return self._literal()

    def _named(self, name: Token) -> Node:
        if not self._accept("("):
            return Field(name.text, name.at)
        if name.text == "date":
            return self._date(name)
        arguments: list[Node] = []
        if not self._accept(")"):
            arguments.append(self.expression())
            while self._accept(","):
                arguments.append(self.expression())
            self.expect(Kind.SYMBOL, "an operator, a comma or )", ")")
        return Call(name.text, tuple(arguments), name.at)

    def _date(self, name: Token) -> Literal:
        day = self.expect(Kind.TEXT, "a day such as '2026-01-31'")
        self.expect(Kind.SYMBOL, ")", ")")
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day.text):
            raise self._error(day, "a day such as '2026-01-31'", "bad_date")
        try:
            return Literal(date.fromisoformat(day.text), name.at)
        except ValueError as error:
            raise self._error(day, "a day of the calendar", "bad_date") from error

    def _literal(self) -> Literal:
        token = self._tokens[self._next]
        self._next += token.kind is not Kind.END
        if token.kind is Kind.TEXT:
            return Literal(token.text, token.at)
        if token.kind is Kind.NUMBER:
            return Literal(self._decimal(token), token.at)
        if token.kind is Kind.SYMBOL and token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text], token.at)
        raise self._error(token, _OPERAND)

    def _options(self) -> tuple[Literal, ...]:
        self.expect(Kind.SYMBOL, "a list such as ['a', 'b']", "[")
        options = [self._option()]
        while self._accept(","):
            options.append(self._option())
        self.expect(Kind.SYMBOL, "a comma or ]", "]")
        return tuple(options)

    def _option(self) -> Literal:
        token = self._tokens[self._next]
        if token.kind is Kind.NAME and token.text == "date":
            self._next += 1
            self.expect(Kind.SYMBOL, "(", "(")
            return self._date(token)
        if self._accept("-"):
            return Literal(self._decimal(self.expect(Kind.NUMBER, "a number")).copy_negate(), token.at)
        if token.kind is Kind.SYMBOL:
            raise self._error(token, "a text, number or date")
        return self._literal()

    def _decimal(self, token: Token) -> Decimal:
        if len(token.text.replace(".", "")) > MOST_DIGITS:
            raise self._error(token, f"at most {MOST_DIGITS} digits", "bad_number")
        return Decimal(token.text)

    def _accept(self, symbol: str) -> Token | None:
        token = self._tokens[self._next]
        if token.kind is not Kind.SYMBOL or token.text != symbol:
            return None
        self._next += 1
        return token

    def _descend(self) -> None:
        self._room -= 1
        if self._room < 0:
            raise self._error(self._tokens[self._next], "less nesting", "too_deep")

    def _error(self, token: Token, expected: str, code: str = "unexpected") -> ExpressionError:
        return ExpressionError([problem(self._source, token.at, code, token.text, expected)])
