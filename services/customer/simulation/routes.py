"""HTTP door of simulations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from services.customer.simulation.rules import State
from services.customer.simulation.schemas import MoveView, NewSimulation, SimulationView
from services.customer.simulation.service import SIMULATE, Simulations
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_REFUSED = problem_responses(404, 409, 422)
Grade = Annotated[str | None, Query(max_length=10)]


def build(simulations: Simulations) -> Router:
    """The routes of simulations."""
    router = Router(tags=["grades"])

    @router.post("/v1/policies/{policy_id}/simulate", summary="Who would move if this grade policy were in force",
                 responses={202: {"model": SimulationView}, **_REFUSED})  # fmt: skip
    async def simulate_policy(
        policy_id: Annotated[str, Path(max_length=60)], body: NewSimulation, response: Response, tx: Tx,
        who: Annotated[Principal, may(SIMULATE)],
    ) -> SimulationView:  # fmt: skip
        wanted = (body.policy, body.version, body.unit, body.sample)
        found = SimulationView(**await simulations.ask(tx, who, policy_id, *wanted, now()))
        if found.state == State.RUNNING:
            response.status_code, response.headers["Location"] = 202, f"/v1/simulations/{found.id}"
        return found

    @router.get("/v1/simulations/{simulation_id}", summary="How far a simulation is, and what it found",
                responses=_REFUSED)  # fmt: skip
    async def get_simulation(simulation_id: UUID, tx: Tx, who: Annotated[Principal, may(SIMULATE)]) -> SimulationView:
        return SimulationView(**await simulations.read(tx, who, simulation_id))

    @router.get("/v1/simulations/{simulation_id}/moves", summary="The customers within reach who would move",
                responses=_REFUSED)  # fmt: skip
    async def list_simulated_moves(
        simulation_id: UUID, tx: Tx, who: Annotated[Principal, may(SIMULATE)],
        before: Grade = None, after: Grade = None, cursor: Cursor = None, limit: Limit = 50,
    ) -> Page[MoveView]:  # fmt: skip
        above = read_cursor(cursor, UUID)[0] if cursor else None
        rows = await simulations.moves(tx, who, simulation_id, before, after, above, limit + 1, now())
        items = [MoveView(**row) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].customer_id) if len(rows) > limit else None)

    @router.post("/v1/simulations/{simulation_id}/cancel", summary="Stop a simulation", responses=_REFUSED)
    async def cancel_simulation(
        simulation_id: UUID, tx: Tx, who: Annotated[Principal, may(SIMULATE)]
    ) -> SimulationView:
        return SimulationView(**await simulations.cancel(tx, who, simulation_id, now()))

    return router
