"""Labels of items, indicators, roles and channels by code, as the declared measures have them."""

from collections.abc import Mapping

from shared.regime import Codelist, GradePolicy, Regimes, Role, Text
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


def items_of_indicators(regimes: Regimes) -> Mapping[str, str]:
    """Code of the item by indicator, for indicators that are nothing but an item: its codes explain their values."""
    items = {item.code for each in regimes.definitions if isinstance(each, Dictionary) for item in each.items}
    policies = [each for each in regimes.definitions if isinstance(each, GradePolicy)]
    indicators = [indicator for policy in policies for indicator in policy.indicators]
    return {each.id: each.expression for each in indicators if each.expression in items}


def titles_of_roles(regimes: Regimes) -> Mapping[str, Mapping[str, str]]:
    """{zh, en} by id; of several versions the latest."""
    roles = [each for each in regimes.definitions if isinstance(each, Role)]
    return {role.id: _both(role.title) for role in sorted(roles, key=lambda role: (role.id, role.effective_from))}


def codes_of(regimes: Regimes, codelist: str) -> Mapping[str, Mapping[str, str]]:
    """{zh, en} by code of a list; of several versions the latest."""
    lists = [each for each in regimes.definitions if isinstance(each, Codelist) and each.id == codelist]
    found: dict[str, Mapping[str, str]] = {}
    for each in sorted(lists, key=lambda definition: definition.effective_from):
        found |= {code: _both(text) for code, text in each.codes.items()}
    return found


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
