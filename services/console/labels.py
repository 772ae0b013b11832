"""Labels of items and indicators by code, as the declared measures have them; pages of entries show them."""

from collections.abc import Mapping

from shared.regime import GradePolicy, Regimes, Text
from shared.regime.dictionary import Dictionary


def labels_of(regimes: Regimes) -> Mapping[str, Mapping[str, str]]:
    """{zh, en} by code; of several versions the latest."""
    found: dict[str, Mapping[str, str]] = {}
    for each in sorted(regimes.definitions, key=lambda definition: definition.effective_from):
        if isinstance(each, GradePolicy):
            found |= {indicator.id: _both(indicator.label) for indicator in each.indicators}
    for each in sorted(regimes.definitions, key=lambda definition: definition.effective_from):
        if isinstance(each, Dictionary):
            found |= {item.code: _both(item.label) for item in each.items}
    return found


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
