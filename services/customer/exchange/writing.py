"""Writes files in a process of its own: rows come in page by page, a workbook or pieces of CSV go out.

It has no key and no connection. A workbook is written by a thread that waits for the next page, row by row into a
temporary file without a name, so that memory does not grow with the rows.
"""

from __future__ import annotations

import csv
import io
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rustpy_xlsxwriter import FastExcel, Format

from services.customer.exchange import rules

_PAGES = 2
"""How many wait for the writer."""
_WIDTH = 18.0


@dataclass(frozen=True, slots=True)
class Head:
    """A file to be: its columns by code, with their headings; `typed` are those of text."""

    export_id: UUID
    sheet: str
    headings: Mapping[str, str]
    typed: frozenset[str]


class Astray(Exception):
    """The process does not hold this file."""


class _Book:
    """A workbook under way."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.failed: BaseException | None = None
        self._pages: queue.Queue[Sequence[Mapping[str, Any]] | None] = queue.Queue(_PAGES)
        self._packed = io.BytesIO()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def feed(self, rows: Sequence[Mapping[str, Any]] | None) -> None:
        while self.failed is None:
            try:
                self._pages.put(rows, timeout=1)
            except queue.Full:
                continue
            return
        raise self.failed

    def finish(self) -> bytes:
        self.feed(None)
        self._thread.join()
        if self.failed is not None:
            raise self.failed
        return self._packed.getvalue()

    def _write(self) -> None:
        text = Format().set_quote_prefix()
        formats = {heading: text for code, heading in self.head.headings.items() if code in self.head.typed}
        try:
            book = FastExcel(self._packed)
            book.format(bold_headers=True).freeze(row=1, col=0)
            book.sheet(self.head.sheet, self._rows(), column_formats=formats, column_width=_WIDTH)
            book.save()
        except BaseException as error:
            self.failed = error

    def _rows(self) -> Iterator[dict[str, Any]]:
        headings = self.head.headings
        yield from ()
        while (page := self._pages.get()) is not None:
            for row in page:
                yield {heading: row.get(code) for code, heading in headings.items()}


class _Process:
    """What the process keeps between pages."""

    book: _Book | None = None


def prepare() -> None:
    """Make the process ready."""


def begin(head: Head) -> None:
    """Begin a workbook; another that was under way is given up."""
    _Process.book = _Book(head)


def feed(export_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """The next rows, by code. Raises: Astray"""
    _open(export_id).feed(rows)


def finish(export_id: UUID) -> bytes:
    """The workbook. Raises: Astray"""
    book, _Process.book = _open(export_id), None
    return book.finish()


def _open(export_id: UUID) -> _Book:
    book = _Process.book
    if book is None or book.head.export_id != export_id:
        raise Astray
    return book


def lines(head: Head, rows: Sequence[Mapping[str, Any]], is_first: bool) -> bytes:
    """A piece of a CSV file: UTF-8, the first piece with a mark that spreadsheets know it by, and the headings.

    Text that a spreadsheet would compute is made plain by an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        text.write("\ufeff")
        writer.writerow(head.headings.values())
    typed = head.typed
    for row in rows:
        writer.writerow(
            [
                ""
                if (value := row.get(code)) is None
                else rules.neutral(str(value))
                if code in typed
                else _plain(value)
                for code in head.headings
            ]
        )
    return text.getvalue().encode()


def _plain(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
