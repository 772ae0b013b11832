"""The language of the measures: types of fields, the functions that every declared expression may call, and compiling.

Used by the kinds to check their expressions and by services to run them, so that both understand the same words.
The check digits are national standards (GB 32100, GB 11643), not figures of a measure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from shared.expressions import STANDARD, ExpressionError, Function, Program, Schema, Type, compile, extend
from shared.regime.definition import Flaw, Path
from shared.regime.field import FieldType, ValueField

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

USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
RESIDENT_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
EARLIEST_BIRTH = "1900"


def uscc_valid(text: str) -> bool:
    """Tell whether a text is a unified social credit code: charset and check character."""
    return USCC.fullmatch(text) is not None and uscc.calc_check_digit(text[:-1]) == text[-1]


def resident_id_valid(text: str) -> bool:
    """Tell whether a text is a resident identity number: a possible birthday and the check digit."""
    if RESIDENT_ID.fullmatch(text) is None or text[6:10] < EARLIEST_BIRTH:
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return bool(mod_11_2.is_valid(text))


FUNCTIONS = extend(
    STANDARD,
    Function("uscc_valid", (Type.TEXT,), Type.BOOLEAN, uscc_valid, cost=60),
    Function("resident_id_valid", (Type.TEXT,), Type.BOOLEAN, resident_id_valid, cost=60),
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
