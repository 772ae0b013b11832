"""The language of the measures: types of fields, the functions that every declared expression may call, and compiling.

Used by the kinds to check their expressions and by services to run them, so that both understand the same words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from shared.expressions import STANDARD, ExpressionError, Function, Program, Schema, Type, compile, extend
from shared.regime.definition import Flaw, Path
from shared.regime.field import FieldType, ValueField
from shared.regime.identifiers import (
    STANDARDS,
    Check,
    foreign_resident_valid,
    organisation_code_valid,
    residence_permit_valid,
    resident_id_valid,
    uscc_valid,
)

TYPES: Mapping[FieldType, Type] = MappingProxyType(
    {
        FieldType.TEXT: Type.TEXT,
        FieldType.CODE: Type.CODE,
        FieldType.INTEGER: Type.NUMBER,
        FieldType.DECIMAL: Type.NUMBER,
        FieldType.MONEY: Type.MONEY,
        FieldType.DATE: Type.DATE,
        FieldType.BOOLEAN: Type.BOOLEAN,
        FieldType.PHONE: Type.TEXT,
        FieldType.PHOTO: Type.TEXT,
    }
)


def _checks(name: str, valid: Callable[..., bool], *, dated: bool = False) -> Iterator[Function]:
    """A check as a function over a text; one that looks at a birthday may also be given the latest day for it."""
    yield Function(name, (Type.TEXT,), Type.BOOLEAN, valid, cost=60)
    if dated:
        yield Function(name, (Type.TEXT, Type.DATE), Type.BOOLEAN, valid, cost=60)


FUNCTIONS = extend(
    STANDARD,
    *_checks("uscc_valid", uscc_valid),
    *_checks("organisation_code_valid", organisation_code_valid),
    *_checks("resident_id_valid", resident_id_valid, dated=True),
    *_checks("residence_permit_valid", residence_permit_valid, dated=True),
    *_checks("foreign_resident_valid", foreign_resident_valid, dated=True),
    *_checks("lei_valid", lambda text: STANDARDS[Check.LEI].valid(text, None)),
)


def types_of(fields: Iterable[ValueField]) -> dict[str, Type]:
    """Return the expression type of each field by code."""
    return {field.code: TYPES[field.type] for field in fields}


def compiled(text: str, schema: Schema) -> Program:
    """Compile a declared expression.

    Raises: ExpressionError with all its problems; never for an expression that the loader has let pass
    """
    return compile(text, schema, functions=FUNCTIONS)


def expression_flaws(text: str, schema: Schema, path: Path, *wanted: Type) -> Iterator[Flaw]:
    """Yield why an expression does not compile, or is of none of the wanted types."""
    try:
        program = compiled(text, schema)
    except ExpressionError as error:
        for problem in error.problems:
            yield Flaw(path, f"{problem.code} at {problem.line}:{problem.column}: {problem.seen}", problem.expected)
        return
    if wanted and program.type not in wanted:
        yield Flaw(path, f"the expression is of type {program.type}", f"wanted: {', '.join(wanted)}")
