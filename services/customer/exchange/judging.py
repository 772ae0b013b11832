"""What a row may do: by who sends it, what is there already, and the rules across items. Decides; asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange.reading import Line
from services.customer.exchange.rules import CellFault, Mode
from services.customer.file.service import CHANGE, REGISTER
from shared.auth import Principal, Sight
from shared.db import Record
from shared.edits import differing
from shared.regime import Catalogue, Item


class Judge:
    """What a row may do, by who sends it and what is there."""

    def __init__(
        self, dictionaries: Dictionaries, who: Principal, catalogue: Catalogue, mode: Mode, now: datetime
    ) -> None:
        self._dictionaries = dictionaries
        self._now = now
        self._who = who
        self._catalogue = catalogue
        self._mode = mode
        self._sights: dict[tuple[str, str, str | None], Sight] = {}
        manager = [code for code, use in catalogue.uses.items() if use == "manager"]
        self._manager = manager[0] if manager else ""
        number = [code for code, use in catalogue.uses.items() if use == "number"]
        self._key = number[0]

    def faults(self, line: Line, file: Record | None) -> list[CellFault]:
        """All that speaks against it."""
        if line.key is None:
            return []
        return self._of_new(line) if file is None else self._of_known(line, file)

    def _of_new(self, line: Line) -> list[CellFault]:
        who, number = self._who, line.number
        if self._mode is Mode.UPDATE:
            return [CellFault(number, self._key, "no_such_customer", line.key, "a customer within your reach")]
        if not who.may(REGISTER):
            return [CellFault(number, None, "needs_approval", line.key, "a registration form")]
        unit, manager = line.unit or who.unit, line.values.get(self._manager)
        told = {fault.column for fault in line.faults}
        absent = [code for code in self._catalogue.required if line.values.get(code) is None and code not in told]
        found = [CellFault(number, code, "required", None, "a value") for code in sorted(absent)]
        if not unit or not who.scope(REGISTER).reaches(unit, manager):
            return [*found, CellFault(number, "unit", "out_of_reach", unit or None, "a unit within your reach")]
        return [*found, *self._of_values(line, {}, REGISTER, unit, manager)]

    def _of_known(self, line: Line, file: Record) -> list[CellFault]:
        who, number = self._who, line.number
        unit, manager = file["unit"], file["manager"]
        if self._mode is Mode.CREATE:
            return [CellFault(number, self._key, "number_taken", line.key, "a number that no other customer has")]
        if not who.scope(CHANGE).reaches(unit, manager):
            return [CellFault(number, self._key, "no_such_customer", line.key, "a customer within your reach")]
        if file["erased_at"] is not None:
            return [CellFault(number, self._key, "customer_erased", line.key, "a customer whose file is open")]
        if file["merged_into"] is not None:
            return [CellFault(number, self._key, "customer_merged", line.key, "a customer whose file is open")]
        found = []
        if line.unit is not None and line.unit != unit:
            found.append(CellFault(number, "unit", "unit_differs", line.unit, unit))
        return [*found, *self._of_values(line, file["values"], CHANGE, unit, manager)]

    def _of_values(
        self, line: Line, before: Mapping[str, Any], action: str, unit: str, manager: str | None
    ) -> list[CellFault]:
        """Items that the sender may not see there, and what would contradict the rest of the file."""
        sight = self._sights.get((action, unit, manager))
        if sight is None:
            sight = self._sights[action, unit, manager] = self._who.sight(action, unit, manager)
        items: Mapping[str, Item] = self._catalogue.items
        hidden = [code for code in line.values if not sight.shows(items[code].secrecy, items[code].field_class)]
        found = [CellFault(line.number, code, "not_cleared", None, "an item within your clearance") for code in hidden]
        found += self._unkept(line, before, sight)
        if line.faults or found:
            return found
        shows = partial(_shows, sight)
        broken = self._dictionaries.contradictions(self._catalogue, before, line.values, line.values, shows, self._now)
        return [CellFault(line.number, fault.pointer.rpartition("/")[2], fault.code, None, str(fault.expected)[:200])
                for fault in broken]  # fmt: skip

    def _unkept(self, line: Line, before: Mapping[str, Any], sight: Sight) -> list[CellFault]:
        """Items that another role keeps; not those that stay as they are, nor what no file can begin without."""
        items = [self._catalogue.items[code] for code in differing(before, line.values)]
        wanted = (item for item in items if before or item.code not in self._catalogue.required)
        return [
            CellFault(line.number, item.code, "not_kept", None, f"somebody who holds {item.maintained_by}")
            for item in wanted
            if sight.shows(item.secrecy, item.field_class)
            and not sight.sets(item.secrecy, item.field_class, item.maintained_by)
        ]


def _shows(sight: Sight, item: Item) -> bool:
    return sight.shows(item.secrecy, item.field_class)
