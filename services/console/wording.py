"""Texts of the pages, zh and en, and how moments and values are written. Pure but for reading its files once.

One catalogue a language under `texts/`, a file a noun; a test holds them in parity. Labels of items and indicators are
not texts of ours: they come from the declared measures.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson

from shared.clock import CHINA
from shared.web.texts import Texts

TEXTS = Path(__file__).parent / "texts"
_CENT = Decimal("0.01")


class Wording(Texts):
    """The texts of one language, and words for what other services say."""

    def __init__(self, language: str) -> None:
        super().__init__(TEXTS, language)

    def term(self, family: str, code: object) -> str:
        """The word for a code of other services; the code itself if we have no word for it."""
        return self._texts.get(f"{family}.{code}", "" if code is None else str(code))

    def label(self, text: object) -> str:
        """The text of this language out of {zh, en}."""
        if isinstance(text, Mapping):
            return str(text.get(self.language) or text.get("zh") or "")
        return "" if text is None else str(text)

    def value(self, value: object, item: Mapping[str, Any] | None = None) -> str:
        """A value of an item in words; `item` (as the dictionary lists it) explains its codes."""
        codes = (item or {}).get("codes") or {}
        match value:
            case None | "" | []:
                shown = self._texts["value.none"]
            case bool():
                shown = self._texts["value.yes" if value else "value.no"]
            case list():
                shown = self._texts["value.comma"].join(self.value(each, item) for each in value)
            case dict():
                shown = orjson.dumps(value).decode()
            case _:
                shown = self.label(codes[value]) if value in codes else str(value)
        return shown


def moment_of(given: object) -> datetime | None:
    """An instant as services write it, on the Chinese clock."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            return None
    return given.astimezone(CHINA) if isinstance(given, datetime) else None


def figure_of(shown: str) -> str:
    """A figure with two decimals at most; any other text as it is."""
    _, _, decimals = shown.partition(".")
    try:
        return f"{Decimal(shown).quantize(_CENT):f}" if len(decimals) > 2 else shown
    except InvalidOperation:
        return shown
