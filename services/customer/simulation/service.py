"""Use cases of simulations: ask for one, run it batch by batch, look at it, cancel it, forget it. Requirement R1.5.

A simulation sees what its owner may see: customers within reach with every item in sight that the policy reads, since
who would move tells of those values. It writes no grade and publishes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.dealings.totals import Totals
from services.customer.grading.explanation import behind
from services.customer.grading.rules import Policy
from services.customer.grading.service import Grading
from services.customer.simulation import errors, repository, rules
from services.customer.simulation.drafts import Drafts
from services.customer.simulation.rules import Simulation, State
from shared.auth import Principal, Scope, within
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.ids import new_id
from shared.regime import Clock, Regimes

SIMULATE = "grade.simulate"
SMALL = 500
"""So many customers are done at once, while the caller waits."""
_BATCH = 500
_FORGOTTEN = 20
_CLOCK = "grading"


class Simulations:
    """Grade policies tried out."""

    def __init__(self, grading: Grading, drafts: Drafts, totals: Totals, regimes: Regimes) -> None:
        self._grading = grading
        self._drafts = drafts
        self._totals = totals
        self._regimes = regimes

    async def ask(
        self, tx: Transaction, who: Principal, policy_id: str, given: str | Mapping[str, Any] | None,
        version: date | None, unit: str | None, sample: int, now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Try a policy out: done if there are few customers, running else. Raises: NotFound, Invalid, Forbidden."""
        today = day_of(now)
        if version is not None:
            policy = self._drafts.declared(policy_id, version)
        else:
            policy = self._drafts.written(policy_id, given or {}, today)
        scope = self._scope(who, policy, now)
        if unit is not None:
            if not who.scope(SIMULATE).reaches(unit):
                raise errors.unit_out_of_reach(unit)
            scope = scope.only(frozenset({unit}))
        term = self._regimes.get(Clock, _CLOCK, on=today).term("simulation_kept")
        simulation = Simulation(
            id=new_id(), owner=who.actor, unit=unit or who.unit, policy=policy.declared.ref.id,
            kind=policy.declared.kind, wording=policy.declared.wording, sample=sample, everything=scope.everything,
            units=sorted(scope.units), names=sorted(scope.assigned_to), state=State.RUNNING, total=0, checked=0,
            last_id=None, counts={}, made_at=now, done_at=None, expires_at=now + term,
        )  # fmt: skip
        simulation = replace(simulation, total=await repository.count(tx, simulation))
        await repository.add(tx, simulation)
        if simulation.total <= SMALL:
            simulation = await self._step(tx, simulation, policy, now, SMALL + 1)
        return _view(simulation)

    async def run_due(self, tx: Transaction, now: datetime) -> int:
        """A batch of the simulation whose turn it is. A job calls it until nothing is left; stopped anywhere, it goes
        on behind the last batch that was committed."""
        simulation = await repository.oldest(tx)
        if simulation is None:
            return 0
        policy = self._drafts.again(simulation.policy, simulation.wording, day_of(now))
        after = await self._step(tx, simulation, policy, now, _BATCH)
        return max(after.checked - simulation.checked, 1)

    async def forget_due(self, tx: Transaction, now: datetime) -> int:
        """Remove results that expired. A job."""
        return await repository.forget(tx, now, _FORGOTTEN)

    async def read(self, tx: Transaction, who: Principal, simulation_id: UUID) -> dict[str, Any]:
        """How far it has come and what it found. Raises: NotFound, Forbidden (not_your_simulation)"""
        return _view(await self._own(tx, who, simulation_id))

    async def cancel(self, tx: Transaction, who: Principal, simulation_id: UUID, now: datetime) -> dict[str, Any]:
        """Stop it; what it found so far stays until it expires. Raises: NotFound, Forbidden, Conflict."""
        simulation = await self._own(tx, who, simulation_id, lock=True)
        if simulation.state is not State.RUNNING:
            raise errors.simulation_over(simulation.state)
        simulation = replace(simulation, state=State.CANCELLED, done_at=now)
        await repository.move_on(tx, simulation)
        return _view(simulation)

    async def moves(
        self, tx: Transaction, who: Principal, simulation_id: UUID, before: str | None, after: str | None,
        above: UUID | None, limit: int, now: datetime,
    ) -> list[Record]:  # fmt: skip
        """Customers who would move and are still within reach, by id. Raises: NotFound, Forbidden."""
        simulation = await self._own(tx, who, simulation_id)
        policy = self._drafts.again(simulation.policy, simulation.wording, day_of(now))
        return await repository.page(tx, simulation_id, self._scope(who, policy, now), before, after, above, limit)

    async def _own(self, tx: Transaction, who: Principal, simulation_id: UUID, *, lock: bool = False) -> Simulation:
        simulation = await repository.get(tx, simulation_id, lock=lock)
        if simulation is None:
            raise errors.no_such_simulation()
        if simulation.owner != who.actor:
            within(who, SIMULATE, simulation.unit)
            raise errors.not_your_simulation()
        return simulation

    def _scope(self, who: Principal, policy: Policy, now: datetime) -> Scope:
        """The customers of whom the caller may see all that the policy reads. Raises: Forbidden"""
        formulas = self._totals.formulas(policy.catalogue, max(day_of(now), policy.declared.effective_from))
        fields = behind(policy.names, policy.catalogue, formulas) or {}
        scope = who.scope(SIMULATE, fields.values())
        if not scope:
            hidden = [code for code, field in fields.items() if not who.clears(SIMULATE, *field)]
            raise errors.not_cleared(sorted(hidden or fields))
        return scope

    async def _step(
        self, tx: Transaction, simulation: Simulation, policy: Policy, now: datetime, limit: int
    ) -> Simulation:
        ids = await repository.following(tx, simulation, limit)
        outcomes = await self._grading.outcomes(tx, policy, ids, now)
        moves = [(customer_id, before, after) for customer_id, before, after in outcomes if before != after]
        if moves:
            await repository.add_moves(tx, simulation.id, moves)
        is_done = len(ids) < limit
        simulation = replace(
            simulation, checked=simulation.checked + len(ids), last_id=ids[-1] if ids else simulation.last_id,
            counts=rules.counted(simulation.counts, [(before, after) for _, before, after in outcomes]),
            state=State.DONE if is_done else State.RUNNING, done_at=now if is_done else None,
        )  # fmt: skip
        await repository.move_on(tx, simulation)
        return simulation


def _view(simulation: Simulation) -> dict[str, Any]:
    return {
        "id": simulation.id, "policy": simulation.policy, "kind": simulation.kind, "state": simulation.state,
        "sample": simulation.sample, "total": simulation.total, "checked": simulation.checked,
        "movers": rules.movers(simulation.counts), "matrix": rules.matrix(simulation.counts),
        "made_at": simulation.made_at, "done_at": simulation.done_at, "expires_at": simulation.expires_at,
    }  # fmt: skip
