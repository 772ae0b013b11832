"""Work that goes on after its request: what its sender may do is kept with it, and must still be so at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.customer.exchange import errors
from shared.auth import Authenticator, Power, Principal, Scope
from shared.db import Record
from shared.regime import Secrecy


class Standing:
    """Keeps and checks authority. `directory`: whether people stand in the roster, or in their tokens alone."""

    def __init__(self, authenticator: Authenticator, *, directory: bool) -> None:
        self._authenticator = authenticator
        self._directory = directory

    def is_known(self) -> bool:
        """Whether it can be told at present who may what."""
        return not self._directory or self._authenticator.roster.is_usable()

    def kept(self, who: Principal, actions: Sequence[str]) -> dict[str, Any]:
        """What somebody may do, as JSON."""
        powers = {action: [_written(power) for power in who.powers.get(action, ())] for action in actions}
        return {"unit": who.unit, "roles": list(who.roles), "powers": powers}

    def principal(self, row: Mapping[str, Any] | Record, moment: datetime) -> Principal:
        """Whoever asked for an import or export, with what they might do then. Raises: Forbidden (authority_changed)"""
        kept = row["authority"]
        powers = {action: tuple(map(_read, each)) for action, each in kept["powers"].items()}
        if self._directory:
            now = self._authenticator.stand_in(row["requester"], moment)
            if changed := [
                action for action in powers if powers[action] != (now.powers.get(action, ()) if now else ())
            ]:
                raise errors.authority_changed(changed)
        powers = {action: each for action, each in powers.items() if each}
        roles = tuple(kept["roles"])
        return Principal(row["requester"], row["actor"], kept["unit"], roles, powers, moment.timestamp(), token="")


def _written(power: Power) -> dict[str, Any]:
    scope = power.scope
    return {
        "role": power.role,
        "everything": scope.everything,
        "units": sorted(scope.units),
        "assigned_to": sorted(scope.assigned_to),
        "clearance": power.clearance.value,
        "fields": None if power.fields is None else sorted(power.fields),
        "purpose": power.purpose,
        "keeps": None if power.keeps is None else sorted(power.keeps),
    }


def _read(kept: Mapping[str, Any]) -> Power:
    scope = Scope(kept["everything"], frozenset(kept["units"]), frozenset(kept["assigned_to"]))
    fields = None if kept["fields"] is None else frozenset(kept["fields"])
    keeps = None if kept["keeps"] is None else frozenset(kept["keeps"])
    return Power(kept["role"], scope, Secrecy(kept["clearance"]), fields, kept["purpose"], keeps)
