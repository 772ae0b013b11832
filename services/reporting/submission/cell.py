"""One cell: its raw text checked before it is cast, and what is expected instead, in both languages. Pure.

`shared.regime.read_value` says what a value of a field looks like. A filed table is held to more: nothing that a
reader has to repair in silence (full-width forms, a minus before zero, a number where an identifier belongs).
"""

import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from shared.regime import BadValue, Column, FieldType, Text, Value, read_value
from shared.regime.field import NUMERIC

REQUIRED = "required"
SHOWN_CHOICES = 300


class Digits(str):
    """A number of a JSON or spreadsheet cell, as it was written: no digit is lost to a binary float."""

    __slots__ = ()


def is_missing(raw: object) -> bool:
    """Whether nothing was filed in the cell."""
    return raw is None or raw == ""


def read_cell(column: Column, raw: object, codes: Mapping[str, Text] | None) -> Value:
    """The value of a cell that is not missing. Raises: BadValue"""
    numeric = column.type in NUMERIC
    if isinstance(raw, Digits) and not numeric:
        raise BadValue("wrong_type", raw, "text")
    if isinstance(raw, str) and column.type is not FieldType.TEXT and unicodedata.normalize("NFKC", raw) != raw:
        raise BadValue("full_width", raw, "half-width characters")
    value = read_value(column, raw, codes)
    if numeric and not value and str(raw).lstrip().startswith("-"):
        raise BadValue("negative_zero", str(raw), "0")
    return value


def expectation(column: Column, code: str) -> Text:
    """What would have been right, for the fault `code` in this column."""
    zh, en = _EXPECTED[code](column)
    return Text(zh=zh, en=en)


def message(column: Column, code: str) -> Text:
    """The message of that fault, with the slots {seen} and {expected}."""
    zh, en = _MESSAGES[code]
    return Text(zh=f"{column.label.zh}：{zh}", en=f"{column.label.en}: {en}")


Pair = tuple[str, str]


def _type(column: Column) -> Pair:
    match column.type:
        case FieldType.INTEGER | FieldType.DECIMAL | FieldType.MONEY:
            return "十进制数，不用千分位或科学计数法", "a decimal number without separators or exponent"
        case FieldType.DATE:
            return "存在的日期，格式 YYYY-MM-DD", "a day that exists, as YYYY-MM-DD"
        case FieldType.BOOLEAN:
            return "true 或 false", "true or false"
        case _:
            return "非空文本，不能是数值", "text that is not blank; a number is no text"


def _form(column: Column) -> Pair:
    if column.type is FieldType.PHONE:
        return "电话号码", "a telephone number"
    return f"符合 {column.pattern} 的文本", f"text of the form {column.pattern}"


def _listed(column: Column) -> Pair:
    if column.codelist is not None:
        return f"代码表 {column.codelist} 中的代码", f"a code of the list {column.codelist}"
    choices = ", ".join(column.choices or ())[:SHOWN_CHOICES]
    return f"其中之一：{choices}", f"one of {choices}"


_EXPECTED: Mapping[str, Callable[[Column], Pair]] = MappingProxyType(
    {
        REQUIRED: lambda _: ("必填", "a value"),
        "wrong_type": _type,
        "unsafe_text": lambda _: ("不含控制字符的文本", "text without control characters"),
        "too_long": lambda column: (f"不超过 {column.max_length} 个字符", f"at most {column.max_length} characters"),
        "pattern_mismatch": _form,
        "not_in_list": _listed,
        "too_many_decimals": lambda column: (f"最多 {_scale(column)} 位小数", f"at most {_scale(column)} decimals"),
        "below_minimum": lambda column: (f"不小于 {column.minimum}", f"at least {column.minimum}"),
        "above_maximum": lambda column: (f"不大于 {column.maximum}", f"at most {column.maximum}"),
        "full_width": lambda _: ("半角字符", "half-width characters"),
        "negative_zero": lambda _: ("不带负号的 0", "0 without a minus sign"),
    }
)
_MESSAGES: Mapping[str, Pair] = MappingProxyType(
    {
        REQUIRED: ("必填项为空。", "the cell is empty; it needs {expected}."),
        "wrong_type": ("{seen} 类型不符，应为{expected}。", "{seen} cannot be read; expected {expected}."),
        "unsafe_text": (
            "{seen} 含有控制字符，应为{expected}。",
            "{seen} holds control characters; expected {expected}.",
        ),
        "too_long": ("{seen} 过长，应{expected}。", "{seen} is too long; expected {expected}."),
        "pattern_mismatch": ("{seen} 格式不符，应为{expected}。", "{seen} has another form; expected {expected}."),
        "not_in_list": ("{seen} 不是允许的代码，应为{expected}。", "{seen} is no allowed code; expected {expected}."),
        "too_many_decimals": (
            "{seen} 小数位过多，应{expected}。",
            "{seen} has too many decimals; expected {expected}.",
        ),
        "below_minimum": ("{seen} 过小，应{expected}。", "{seen} is too small; expected {expected}."),
        "above_maximum": ("{seen} 过大，应{expected}。", "{seen} is too large; expected {expected}."),
        "full_width": ("{seen} 含有全角字符，应为{expected}。", "{seen} holds full-width forms; expected {expected}."),
        "negative_zero": ("{seen} 应为{expected}。", "{seen} should be {expected}."),
    }
)


def _scale(column: Column) -> int:
    return 0 if column.type is FieldType.INTEGER else column.scale
