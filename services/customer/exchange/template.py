"""The workbook that people fill in: headings with codes, drop-downs for code lists, notes from the definitions.

It holds the items that its reader may set somewhere, and nothing of any customer.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import rules
from services.customer.exchange.rules import LIMITS, UNIT, WORDS, Limits, Words
from services.customer.file.service import CHANGE, REGISTER
from shared.auth import Principal, Sight
from shared.clock import day_of
from shared.regime import Clock, Codelist, FieldType, Item, Regimes, Text, Use

TEMPLATE = "exchange.template"
_WIDEST, _NARROWEST = 40, 12
_FORM: Mapping[FieldType, str] = {FieldType.DATE: "yyyy-mm-dd", FieldType.INTEGER: "0"}
"""How cells are shown; everything else is text, so that no digit of a long number is lost."""


class Templates:
    """Makes templates."""

    def __init__(self, regimes: Regimes, dictionaries: Dictionaries) -> None:
        self._regimes = regimes
        self._dictionaries = dictionaries

    def items(self, who: Principal, kind: str, now: datetime) -> list[Item]:
        """The items of a kind that somebody may set, of whatever customer. Raises: NotFound (unknown_kind)"""
        catalogue = self._dictionaries.catalogue(kind, now)
        number = catalogue.used_as(Use.NUMBER)
        return [
            item
            for item in rules.settable(catalogue)
            if item is number or any(_sets(who, action, item) for action in (REGISTER, CHANGE))
        ]

    def make(self, who: Principal, kind: str, now: datetime) -> bytes:
        """An empty workbook. Raises: NotFound (unknown_kind)"""
        items, day = self.items(who, kind, now), day_of(now)
        words = self._regimes.get(Codelist, WORDS, on=day).codes
        limits = Limits.of(self._regimes.get(Clock, LIMITS, on=day))
        lists = {item.code: codes for item in items if (codes := self._dictionaries.codes(item, day))}
        packed = io.BytesIO()
        with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
            _Form(book, words, limits).fill(items, lists)
        return packed.getvalue()


def _sets(who: Principal, action: str, item: Item) -> bool:
    """Whether somebody may set an item of some customer."""
    return Sight(who.powers.get(action, ())).sets(item.secrecy, item.field_class, item.maintained_by)


class _Form:
    """One workbook."""

    def __init__(self, book: xlsxwriter.Workbook, words: Words, limits: Limits) -> None:
        self._words = words
        self._last = limits.template_rows
        self._sheet = book.add_worksheet(words["sheet"].zh)
        self._lists = book.add_worksheet(words["lists"].zh)
        self._lists.hide()
        self._text = book.add_format({"num_format": "@"})
        self._forms = {type_: book.add_format({"num_format": form}) for type_, form in _FORM.items()}
        plain = {"bold": True, "text_wrap": True, "valign": "top", "border": 1}
        self._head = book.add_format({**plain, "bg_color": "#E7EEF7"})
        self._required = book.add_format({**plain, "bg_color": "#FFE9B3"})

    def fill(self, items: list[Item], lists: Mapping[str, Mapping[str, Text]]) -> None:
        """Headings and columns."""
        self._column(0, rules.heading(self._words["unit"], UNIT), self._text, required=False)
        yes_no = [self._words["yes"].zh, self._words["no"].zh]
        for place, item in enumerate(items, 1):
            title = rules.heading(item.label, item.code, required=item.required)
            self._column(place, title, self._forms.get(item.type, self._text), required=item.required)
            self._sheet.write_comment(0, place, _note(item), {"x_scale": 2.5, "y_scale": 1.8})
            if item.code in lists:
                self._drop_down(place, [rules.choice(code, text) for code, text in lists[item.code].items()])
            elif item.type is FieldType.BOOLEAN:
                self._sheet.data_validation(1, place, self._last, place, {"validate": "list", "source": yes_no})
        self._sheet.freeze_panes(1, 1)
        self._sheet.set_row(0, 48)

    def _column(self, place: int, title: str, form: Format, *, required: bool) -> None:
        self._sheet.set_column(place, place, min(_WIDEST, max(_NARROWEST, len(title))), form)
        self._sheet.write_string(0, place, title, self._required if required else self._head)

    def _drop_down(self, place: int, choices: list[str]) -> None:
        """From the hidden sheet, however long the list is."""
        for row, choice in enumerate(choices):
            self._lists.write_string(row, place, choice)
        letters = xl_col_to_name(place)
        source = f"='{self._lists.get_name()}'!${letters}$1:${letters}${len(choices)}"
        rule: dict[str, Any] = {"validate": "list", "source": source, "error_type": "warning"}
        self._sheet.data_validation(1, place, self._last, place, rule)


def _note(item: Item) -> str:
    lines = [item.definition.zh, item.definition.en, item.calibre.zh, item.calibre.en]
    if item.unit is not None:
        lines.append(rules.both(item.unit))
    return "\n".join(lines)
