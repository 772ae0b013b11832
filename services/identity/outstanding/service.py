"""Customers on the list of what a leaver hands over (`Holdings` of staff), from events. Requirements R2.6, R5.7."""

from datetime import date

from services.identity.outstanding import repository
from services.identity.staff.handing import Carried
from shared.db import Transaction
from shared.events import Envelope, HandoverFellDue, HandoverOmitted, HandoverSettled


class Customers:
    """Whether leavers have handed their customers over, by unit."""

    async def due(self, tx: Transaction, _envelope: Envelope, event: HandoverFellDue | HandoverOmitted) -> None:
        """Some are still theirs."""
        await repository.put(tx, event.person, event.unit, done=False)

    async def settled(self, tx: Transaction, _envelope: Envelope, event: HandoverSettled) -> None:
        """Somebody else has them; or the person stays and keeps them."""
        if event.stays:
            await repository.drop(tx, event.person, event.unit)
        else:
            await repository.put(tx, event.person, event.unit, done=True)

    async def carried(self, tx: Transaction, name: str, _day: date) -> list[Carried]:
        """Customers by unit, once a leaving was announced."""
        return [Carried("customers", None, None, row["unit"], row["done"]) for row in await repository.of(tx, name)]

    async def end_with(self, tx: Transaction, name: str, last_day: date) -> None:
        """Nothing: what was not handed over stays on the list."""
