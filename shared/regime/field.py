"""Fields: what a dictionary item and a report column have in common, and how a raw value is read against one.

Used by the customer file (items), by reporting (cells) and by the examples of both. Never stores anything and never
asks whether a person may set the field.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator
from pydantic import Field as Limit

from shared.regime.definition import Json, Shape, Slug, Snake, Text
from shared.regime.identifiers import STANDARDS, Check

Value = str | int | Decimal | date | bool


class FieldType(StrEnum):
    """Types of values. `code` is a choice or an identifier, `photo` the id of a stored picture, money is in yuan."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DATE = "date"
    BOOLEAN = "boolean"
    PHONE = "phone"
    PHOTO = "photo"


NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY})


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


class ValueField(Shape):
    """A named value with its type and limits; `pattern` must match the whole text."""

    code: Snake
    label: Text
    type: FieldType
    required: bool = False
    personal: bool = False
    unit: Text | None = None
    codelist: Slug | None = None
    choices: Mapping[str, Text] | None = Limit(default=None, description="Allowed codes with their texts")
    pattern: Annotated[str, Limit(max_length=300), AfterValidator(_compilable)] | None = None
    check: Check | None = Limit(default=None, description="The standard whose check digits the text must bear out")
    max_length: int = Limit(default=200, ge=1, le=4000)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    scale: int = Limit(default=2, ge=0, le=6, description="Most digits after the point (decimal, money)")


@dataclass(frozen=True)
class BadValue(Exception):
    """A raw value that its field refuses: a stable code, what was seen, what is expected."""

    code: str
    seen: str
    expected: str


NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?")
PHONE = re.compile(r"\+?[0-9][0-9 -]{3,22}[0-9]")
UNSAFE = frozenset({"Cc", "Cs", "Cn", "Co"})
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # shows text in another order than it is stored in
DIGITS_OF_A_FLOAT = 15  # a JSON number of up to 15 digits comes back from binary exactly as it was written


def read_value(
    field: ValueField, raw: Json, codes: Mapping[str, Text] | None = None, *, on: date | None = None
) -> Value:
    """Read a raw JSON or CSV value against its field.

    Shape:   text, number or boolean -> str | int | Decimal | date | bool; `codes` are those of the field's codelist;
             identity numbers of people born after the day `on` are refused
    Raises:  BadValue with code wrong_type, unsafe_text, too_long, pattern_mismatch, check_failed, not_in_list,
             too_many_decimals, below_minimum or above_maximum
    """
    match field.type:
        case FieldType.BOOLEAN:
            return _boolean(raw)
        case FieldType.INTEGER | FieldType.DECIMAL | FieldType.MONEY:
            return _number(field, raw)
        case FieldType.DATE:
            return _date(raw)
        case _:
            return _text(field, raw, codes, on)


def load_value(kind: FieldType, stored: Json) -> Value:
    """Turn a value that `dump_value` wrote into what expressions compute with; trusts the store, so checks nothing."""
    if kind in {FieldType.DECIMAL, FieldType.MONEY, FieldType.INTEGER}:
        return Decimal(stored)
    if kind is FieldType.DATE:
        return date.fromisoformat(stored)
    value: Value = stored
    return value


def dump_value(value: Value) -> Json:
    """Return the JSON form of a value: decimals and dates as text, so that no digit is lost on the way."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _boolean(raw: Json) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in {"true", "false"}:
        return raw.strip().lower() == "true"
    raise BadValue("wrong_type", _seen(raw), "true or false")


def _number(field: ValueField, raw: Json) -> int | Decimal:
    whole, _, fraction = _digits(raw).partition(".")
    fraction = fraction.rstrip("0")
    scale = 0 if field.type is FieldType.INTEGER else field.scale
    if len(fraction) > scale:
        raise BadValue("too_many_decimals", _seen(raw), f"at most {scale} digits after the point")
    number = Decimal(f"{whole}.{fraction}") or Decimal(0)  # never a negative zero
    if field.minimum is not None and number < field.minimum:
        raise BadValue("below_minimum", _seen(raw), f"at least {field.minimum}")
    if field.maximum is not None and number > field.maximum:
        raise BadValue("above_maximum", _seen(raw), f"at most {field.maximum}")
    if field.type is FieldType.INTEGER:
        return int(number)
    return number.quantize(Decimal(1).scaleb(-scale)) if field.type is FieldType.MONEY else number  # one form a value


def _digits(raw: Json) -> str:
    """Return the decimal text of a JSON number or of text, half-width."""
    text = ""
    if isinstance(raw, str):
        text = unicodedata.normalize("NFKC", raw).strip()
    elif isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        text = format(Decimal(raw), "f")
    elif isinstance(raw, float):
        text = _exact(raw)
    if not NUMBER.fullmatch(text):
        raise BadValue("wrong_type", _seen(raw), "a decimal number, best as text")
    return text


def _exact(number: float) -> str:
    try:
        digits = Decimal(repr(number))
    except InvalidOperation:  # pragma: no cover - repr of a float is always a decimal
        return ""
    return format(digits, "f") if len(digits.as_tuple().digits) <= DIGITS_OF_A_FLOAT else ""


def _date(raw: Json) -> date:
    if isinstance(raw, str):
        text = unicodedata.normalize("NFKC", raw).strip()
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise BadValue("wrong_type", _seen(raw), "a day that exists, as YYYY-MM-DD") from None
    raise BadValue("wrong_type", _seen(raw), "a day as YYYY-MM-DD")


def _text(field: ValueField, raw: Json, codes: Mapping[str, Text] | None, on: date | None) -> str:
    if not isinstance(raw, str):
        raise BadValue("wrong_type", _seen(raw), "text")
    if is_unsafe(raw):
        raise BadValue("unsafe_text", _seen(raw), "text without control characters")
    text = unicodedata.normalize("NFC" if field.type is FieldType.TEXT else "NFKC", raw).strip()
    if not text:
        raise BadValue("wrong_type", _seen(raw), "text that is not blank; null takes a value away")
    if len(text) > field.max_length:
        raise BadValue("too_long", _seen(raw), f"at most {field.max_length} characters")
    _check_form(field, text)
    if field.check is not None and not (standard := STANDARDS[field.check]).valid(text, on):
        raise BadValue("check_failed", _seen(raw), standard.expected)
    allowed = field.choices if codes is None else codes
    if allowed is not None and text not in allowed:
        raise BadValue("not_in_list", _seen(raw), f"a code of {field.codelist or ', '.join(allowed)}")
    return text


def is_unsafe(text: str) -> bool:
    """Whether text holds control characters, or what shows it in another order than it is stored in."""
    if text.isprintable():
        return False
    return TURNING.search(text) is not None or any(unicodedata.category(character) in UNSAFE for character in text)


def _check_form(field: ValueField, text: str) -> None:
    if field.type is FieldType.PHONE and not PHONE.fullmatch(text):
        raise BadValue("pattern_mismatch", _seen(text), "a telephone number")
    if field.type is FieldType.PHOTO and not _is_uuid(text):
        raise BadValue("pattern_mismatch", _seen(text), "the id of a stored photograph")
    if field.pattern is not None and not _compiled(field.pattern).fullmatch(text):
        raise BadValue("pattern_mismatch", _seen(text), f"text of the form {field.pattern}")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _seen(raw: Json) -> str:
    """Return what was seen, short and safe to print: a fault must not carry a body or break a log line."""
    text = raw if isinstance(raw, str) else f"{type(raw).__name__} {raw!r}"
    shown = text.encode("ascii", "backslashreplace").decode() if any(map(_unprintable, text)) else text
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _unprintable(character: str) -> bool:
    return not character.isprintable()
