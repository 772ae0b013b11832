"""Whether raw values fit the items of a kind of customer: pure, all faults at once. Requirements R1.1, R1.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from shared.errors import Fault
from shared.regime import BadValue, Catalogue, Item, Maintenance, Text, dump_value, read_value

Codes = Callable[[Item], Mapping[str, Text] | None]
"""The codes of an item's code list, if it has one."""


def read_values(
    catalogue: Catalogue, raw: Mapping[str, Any], codes: Codes, *, on: date, complete: bool
) -> tuple[dict[str, Any], list[Fault]]:
    """Read raw values by item code into the form in which they are stored; None takes a value away.

    `complete` says that the values make a whole file, so that every required item must be among them.
    Fault codes: unknown_item, system_item, required, and those of shared.regime.read_value.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for code, given in raw.items():
        item = catalogue.items.get(code)
        try:
            values[code] = _read(catalogue, item, code, given, codes, on)
        except BadValue as bad:
            faults.append(Fault(pointer(code), bad.code, bad.seen, bad.expected))
    if complete:
        absent = [code for code in catalogue.items if code in catalogue.required and code not in raw]
        faults += [Fault(pointer(code), "required", None, "a value") for code in absent]
    return values, faults


def _read(catalogue: Catalogue, item: Item | None, code: str, given: Any, codes: Codes, on: date) -> Any:
    if item is None:
        raise BadValue("unknown_item", code[:80], f"an item of the dictionary of kind {catalogue.kind}")
    if item.maintenance is Maintenance.SYSTEM:
        raise BadValue("system_item", code, "no value: the system computes this item, nobody sets it")
    if given is not None:
        return dump_value(read_value(item, given, codes(item), on=on))
    if item.required:
        raise BadValue("required", "null", "a value")
    return None


def pointer(code: str) -> str:
    """The JSON pointer of an item's value in a request."""
    return f"/values/{code.replace('~', '~0').replace('/', '~1')}"
