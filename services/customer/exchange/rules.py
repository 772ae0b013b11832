"""Pure rules of exchange: its limits, the words of its files, headings, and cells as raw values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from shared.regime import BadValue, Catalogue, Clock, FieldType, Item, Maintenance, Text
from shared.regime.field import DIGITS_OF_A_FLOAT

LIMITS, WORDS, FAULTS = "exchange", "exchange_word", "exchange_fault"
"""The clock and the code lists that say how much, in which words."""
UNIT = "unit"
"""The column that is no item: the unit of a customer."""
CLEAR = object()
"""A cell that takes the value away."""
_SHOWN = 80
CODE = re.compile(r"\[([a-z0-9_]+)\]\s*\*?$")
_STARTS = frozenset("=+-@\t\r")
_TYPED = frozenset({FieldType.TEXT, FieldType.CODE, FieldType.PHONE})


class Mode(StrEnum):
    """What an import may do with a row: open a file, change one, or whichever fits."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"


class OnFault(StrEnum):
    """What becomes of the good rows of a file that has bad ones."""

    STOP = "stop"
    SKIP = "skip"


class CellFault(NamedTuple):
    """What is wrong, where: `row` as a spreadsheet counts it; no column: the whole row."""

    row: int
    column: str | None
    code: str
    seen: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an import or export may be, from the declared clock."""

    rows: int
    bytes: int
    unpacked: int
    parts: int
    ratio: int
    columns: int
    faults: int
    step: int
    imports_open: int
    export_rows: int
    workbook_rows: int
    exports_open: int
    template_rows: int
    import_kept: timedelta
    export_kept: timedelta

    @classmethod
    def of(cls, clock: Clock) -> Limits:
        """As declared."""
        count = clock.count
        return cls(
            rows=count("import_rows"), bytes=count("import_bytes"), unpacked=count("import_unpacked_bytes"),
            parts=count("import_parts"), ratio=count("import_ratio"), columns=count("import_columns"),
            faults=count("import_faults"), step=count("import_step"), imports_open=count("import_open"),
            export_rows=count("export_rows"), workbook_rows=count("export_workbook_rows"),
            exports_open=count("export_open"), template_rows=count("template_rows"),
            import_kept=clock.term("import_kept"), export_kept=clock.term("export_kept"),
        )  # fmt: skip


Words = Mapping[str, Text]


def both(text: Text) -> str:
    """A text in both languages, once if they are the same."""
    return text.zh if text.zh == text.en else f"{text.zh} {text.en}"


def is_word(words: Words, code: str, cell: object) -> bool:
    """Whether a cell says a word, in either language or both."""
    text = words[code]
    return isinstance(cell, str) and cell.strip() in {text.zh, text.en, both(text)}


def settable(catalogue: Catalogue) -> list[Item]:
    """The items that a file may set: not what the system computes, nor photographs."""
    return [
        item
        for item in catalogue.items.values()
        if item.maintenance is not Maintenance.SYSTEM and item.type is not FieldType.PHOTO
    ]


def heading(label: Text, code: str, *, required: bool = False) -> str:
    """The heading of a column, by which it is known again."""
    return f"{both(label)} [{code}]{' *' if required else ''}"


def columns_of(
    row: int, line: Sequence[object], catalogue: Catalogue, words: Words
) -> tuple[list[str | None], list[CellFault]]:
    """The code of each column by its heading (code, label or both); None for the results of a check before.

    Fault codes: unknown_column, repeated_column.
    """
    names: dict[str, str] = {}
    for item in catalogue.items.values():
        names |= dict.fromkeys((item.label.zh, item.label.en, both(item.label)), item.code)
    names |= dict.fromkeys((words["unit"].zh, words["unit"].en), UNIT)
    names |= {code: code for code in (*catalogue.items, UNIT)}
    codes: list[str | None] = []
    faults: list[CellFault] = []
    for cell in line:
        text = str(cell).strip() if cell is not None else ""
        found = CODE.search(text)
        code = names.get(found[1] if found else text.removesuffix("*").strip())
        if code is None and not is_word(words, "result", text):
            faults.append(CellFault(row, None, "unknown_column", text[:_SHOWN], "a heading of the template"))
        elif code is not None and code in codes:
            faults.append(CellFault(row, code, "repeated_column", text[:_SHOWN], "each column once"))
        codes.append(None if code in codes else code)
    return codes, faults


def missing_columns(
    row: int, codes: Collection[str | None], catalogue: Catalogue, key: str, mode: Mode
) -> list[CellFault]:
    """The key and, where files may be opened, every required item must have a column."""
    wanted = [key] if mode is Mode.UPDATE else [key, *(code for code in catalogue.items if code in catalogue.required)]
    absent = [code for code in dict.fromkeys(wanted) if code not in codes]
    return [CellFault(row, code, "missing_column", None, f"a column {code}") for code in absent]


class Cells:
    """Reads cells of one column into raw values, as people and spreadsheets write them."""

    def __init__(self, item: Item, codes: Mapping[str, Text] | None, words: Words) -> None:
        self._item = item
        self._clear = {words["clear"].zh, words["clear"].en, both(words["clear"])}
        self._choices: dict[str, Any] = {}
        if item.type is FieldType.BOOLEAN:
            self._choices = {words[word].zh: word == "yes" for word in ("yes", "no")}
            self._choices |= {words[word].en: word == "yes" for word in ("yes", "no")}
        elif codes:
            self._choices = choices_of(codes)
        self._is_coded = bool(codes)
        self._typed = item.type in _TYPED

    def read(self, cell: object) -> Any:
        """The raw value, None for a blank cell, CLEAR. Raises: BadValue (formula, digits_lost)"""
        if isinstance(cell, str):
            return self._written(cell.strip())
        if cell is None or isinstance(cell, bool):
            return cell
        if isinstance(cell, int | float):
            return self._digits(cell) if self._typed else _number(cell)
        if isinstance(cell, datetime):
            return cell.date().isoformat() if cell.time() == cell.time().min else cell.isoformat()
        return cell.isoformat() if isinstance(cell, date) else str(cell)

    def _written(self, text: str) -> Any:
        if not text:
            return None
        if text in self._clear:
            return CLEAR
        if text in self._choices:
            return self._choices[text]
        return self._plain(text) if self._typed else text

    def _plain(self, text: str) -> str:
        """Text that no spreadsheet would compute; a telephone number may begin with a plus."""
        if text[0] == "'" and is_risky(text[1:]):
            text = text[1:]  # as it was neutralised on the way out
            if self._item.type is not FieldType.PHONE:
                raise BadValue("formula", text[:_SHOWN], "text that does not begin with = + - @")
        if is_risky(text) and not (self._item.type is FieldType.PHONE and text[0] in "+＋"):
            raise BadValue("formula", text[:_SHOWN], "text that does not begin with = + - @")
        return text

    def _digits(self, number: float) -> str:
        """A number in a column of texts: its digits, if none was lost."""
        if isinstance(number, float) and (not number.is_integer() or len(str(int(number))) > DIGITS_OF_A_FLOAT):
            raise BadValue("digits_lost", repr(number), "a cell of the format Text")
        return str(int(number))


def _number(cell: float) -> float | int:
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**DIGITS_OF_A_FLOAT else cell


def choices_of(codes: Mapping[str, Text]) -> dict[str, str]:
    """Every way to write a code: it, its labels where they are of one code only, and as a drop-down has it."""
    labels = [label for text in codes.values() for label in {text.zh, text.en}]
    found = {label: code for code, text in codes.items() for label in (text.zh, text.en) if labels.count(label) == 1}
    return {**found, **{choice(code, text): code for code, text in codes.items()}, **{code: code for code in codes}}


def choice(code: str, text: Text) -> str:
    """A code as a drop-down shows it."""
    return f"{code} {both(text)}"


def is_risky(text: str) -> bool:
    """Whether a spreadsheet might compute a text: by how it begins, in full width, too."""
    return bool(text) and unicodedata.normalize("NFKC", text[0]) in _STARTS


def neutral(text: str) -> str:
    """A text that no spreadsheet computes when it reads it from CSV."""
    return f"'{text}" if is_risky(text) else text


def tally(faults: Iterable[CellFault]) -> dict[tuple[str | None, str], int]:
    """How often each thing is wrong with each column."""
    counts: dict[tuple[str | None, str], int] = {}
    for fault in faults:
        counts[fault.column, fault.code] = counts.get((fault.column, fault.code), 0) + 1
    return counts
