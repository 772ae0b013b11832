"""What a person keeps in custody, for the list of what a leaver hands over (`Holdings` of staff)."""

from datetime import date, datetime

from services.identity.custody import repository
from services.identity.staff import handing
from services.identity.staff.handing import Carried
from services.identity.staff.rules import DAY
from shared.clock import CHINA
from shared.db import Transaction
from shared.regime import Regimes, Role


class Kept:
    """Roles that go on by a change-over; `id` is the one that is open, if any."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes

    async def carried(self, tx: Transaction, name: str, day: date) -> list[Carried]:
        """What a person keeps on a day."""
        kept = {role.id for role in self._regimes.all(Role, on=day) if role.custody}
        held = [each for each in await handing.roles(tx, name, day) if each.what in kept]
        under_way = await repository.open_of(tx, name) if held else {}
        found = [(each, under_way.get((each.what or "", each.unit or ""))) for each in held]
        return [Carried("custody", str(id_) if id_ else None, each.what, each.unit, each.done) for each, id_ in found]

    async def end_with(self, tx: Transaction, name: str, last_day: date) -> None:
        """The role itself ends with the leaving; what is open and names the leaver cannot be completed: it is over."""
        await repository.let_end(tx, name, datetime.combine(last_day + DAY, datetime.min.time(), CHINA))
