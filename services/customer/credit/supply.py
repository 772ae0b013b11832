"""Use cases of supply: whether a customer gets goods; reporting on, stopping and lifting what holds it up (R7.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.credit import errors, ledger, repository
from services.customer.credit.journal import Journal, of
from services.customer.credit.rules import Hold, State
from services.customer.credit.rules import Supply as Stands
from services.customer.credit.service import READ
from services.customer.credit.showing import Showing
from services.customer.credit.standing import Standing
from services.customer.file.keys import Keys
from services.customer.file.service import Files
from shared.approvals import Approvers
from shared.auth import Principal, Sight
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Forbidden
from shared.events import CreditReported, SupplyResumed, SupplyStopped
from shared.sealing import WrappedKey

REPORT, STOP, LIFT = "credit.report", "credit.stop", "credit.lift"
_AMOUNTS = ("limit_fen", "outstanding_fen", "overdue_fen")


class Supply:
    """Answers whether goods may go out, and lets people act where they may not."""

    def __init__(
        self, files: Files, keys: Keys, approvers: Approvers, journal: Journal, showing: Showing, standing: Standing
    ) -> None:
        self._files = files
        self._keys = keys
        self._approvers = approvers
        self._journal = journal
        self._showing = showing
        self._standing = standing

    async def show(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """Whether the customer gets goods, since when not, why, and what is owed. Raises: NotFound"""
        file = await self._files.reach(tx, who, READ, customer_id)
        return await self._view(tx, who.sight(READ, file["unit"], file["manager"]), customer_id, now)

    async def _view(self, tx: Transaction, sight: Sight, customer_id: UUID, now: datetime) -> dict[str, Any]:
        credit = self._standing.credit(now)
        hold = (await repository.held(tx, [customer_id])).get(customer_id)
        owed = (await ledger.owed(tx, [customer_id], credit.overdue_before(day_of(now)))).get(customer_id)
        granted = await repository.granted(tx, [customer_id])
        form = next((each for each in granted if each.state is State.IN_FORCE), None)
        steps = await repository.steps(tx, [hold.id]) if hold is not None else []
        amounts = {
            "limit_fen": None if form is None else form.limit_fen,
            "outstanding_fen": owed["outstanding_fen"] if owed is not None else 0,
            "overdue_fen": owed["overdue_fen"] if owed is not None else 0,
        }
        is_shown = sight.shows(credit.secrecy, credit.field_class)
        return {
            "customer_id": customer_id,
            "state": Stands.ALLOWED if hold is None else hold.state,
            "since": None if hold is None else hold.since,
            "reason": None if hold is None else ("overdue" if hold.state is Stands.SUSPENDED else "stopped"),
            "hold": None if hold is None else hold.id,
            "reported": any(step["type"] == CreditReported.type for step in steps),
            "term_days": None if form is None else form.term_days,
            "overdue_bills": owed["overdue_bills"] if owed is not None else 0,
            "due_on": owed["due_on"] if owed is not None else None,
            **(amounts if is_shown else dict.fromkeys(_AMOUNTS)),
            "withheld": not is_shown,
        }

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: UUID | None, limit: int, now: datetime
    ) -> list[dict[str, Any]]:
        """What held up the supply of a customer, newest first. Raises: NotFound, Conflict (customer_erased)"""
        _, key, sight = await self._keys.look(tx, who, READ, customer_id)
        holds = await repository.holds(tx, customer_id, below, limit)
        return await self._showing.holds(tx, sight, key, self._standing.credit(now), holds)

    async def report(
        self, tx: Transaction, who: Principal, customer_id: UUID, content: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Say why bills are unpaid and what is done about it. Raises: NotFound, Conflict (supply_not_suspended)"""
        file, key, hold = await self._held(tx, who, REPORT, customer_id)
        said = self._journal.seal(key, customer_id, content)
        event = CreditReported(**of(file), hold=str(hold.id), sealed=said.text)
        await self._journal.note(tx, event, who.actor, now, matter=hold.id, said=said)
        return await self._view(tx, who.sight(REPORT, file["unit"], file["manager"]), customer_id, now)

    async def stop(
        self, tx: Transaction, who: Principal, customer_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """Let nothing go out until somebody lifts it, paid or not. Raises: NotFound, Conflict"""
        file, key, hold = await self._held(tx, who, STOP, customer_id)
        if hold.state is Stands.STOPPED:
            raise errors.stopped_already()
        await repository.store_hold(tx, replace(hold, state=Stands.STOPPED))
        said = self._journal.seal(key, customer_id, {"reason": reason})
        event = SupplyStopped(**of(file), hold=str(hold.id), sealed=said.text)
        await self._journal.note(tx, event, who.actor, now, matter=hold.id, said=said)
        return await self._view(tx, who.sight(STOP, file["unit"], file["manager"]), customer_id, now)

    async def lift(
        self, tx: Transaction, who: Principal, customer_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """Let supply go on, with a reason; bills that become overdue later suspend it again.

        Not by who looks after the customer and owes the report, nor by who made it.
        Raises: NotFound, Conflict (supply_not_suspended), Forbidden (same_person)
        """
        file, key, hold = await self._held(tx, who, LIFT, customer_id)
        steps = await repository.steps(tx, [hold.id])
        reporters = [each["actor"] for each in steps if each["type"] == CreditReported.type]
        self._require_other(who, file["manager"], reporters, now)
        await repository.store_hold(tx, replace(hold, state=Stands.ALLOWED, ended_at=now))
        said = self._journal.seal(key, customer_id, {"reason": reason})
        event = SupplyResumed(**of(file), hold=str(hold.id), cause="decided", sealed=said.text)
        await self._journal.note(tx, event, who.actor, now, matter=hold.id, said=said)
        return await self._view(tx, who.sight(LIFT, file["unit"], file["manager"]), customer_id, now)

    async def awaiting(
        self, tx: Transaction, who: Principal, now: datetime, limit: int
    ) -> tuple[list[Record], list[Record]]:
        """Holds on which somebody has to report, and reported ones that they could lift; the longest first."""
        own, above = await self._waiting(tx, who, REPORT), await self._waiting(tx, who, LIFT)
        to_report = [row for row in own if row["manager"] == who.name and not row["reporters"]]
        to_decide = []
        for row in above:
            with suppress(Forbidden):
                self._require_other(who, row["manager"], row["reporters"], now)
                to_decide += [row] if row["reporters"] else []
        return to_report[:limit], to_decide[:limit]

    async def _waiting(self, tx: Transaction, who: Principal, action: str) -> list[Record]:
        scope = who.scope(action)
        return await repository.waiting(tx, scope, CreditReported.type) if scope else []

    def _require_other(self, who: Principal, manager: str | None, reporters: Iterable[str], now: datetime) -> None:
        owes = () if manager is None else (f"staff/{manager}",)
        self._approvers.require_other(who, LIFT, [(each, REPORT) for each in (*owes, *reporters)], now)

    async def _held(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID
    ) -> tuple[Record, WrappedKey, Hold]:
        """File, key and hold, locked."""
        _, key = await self._keys.hold(tx, who, action, customer_id)
        await repository.lock(tx, [customer_id])
        hold = (await repository.held(tx, [customer_id])).get(customer_id)
        if hold is None:
            raise errors.supply_goes_on()
        return await self._files.reach(tx, who, action, customer_id), key, hold
