"""Refusals of known callers are facts for the audit log (R2.2): written in a transaction of their own."""

from __future__ import annotations

from fastapi import Request

from shared.auth import Principal
from shared.db import Database, is_passing
from shared.errors import Forbidden, KehuError, NotFound
from shared.events import AccessRefused
from shared.outbox import Outbox
from shared.telemetry import log


async def record_refusal(request: Request, error: KehuError) -> None:
    """Publish `access.refused` for a 403, and for a 404 that only hides a record out of reach."""
    hidden = isinstance(error, NotFound) and bool(error.members.get("hidden"))
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or not (isinstance(error, Forbidden) or hidden):
        return
    outbox: Outbox = request.app.state.outbox
    database: Database = request.app.state.database
    event = AccessRefused(
        action=str(getattr(request.state, "action", "*")),
        code="out_of_reach" if hidden else error.code,
        method=request.method,
        route=str(request.scope.get("kehu.route", "")),
    )
    envelope = outbox.envelope(event, feature="access", subject=f"access/{principal.name}", actor=principal.actor)
    try:
        async with database.transaction() as tx:
            await outbox.add(tx, envelope, event)
    except Exception as problem:
        if not is_passing(problem):
            raise
        log(part="web").error("refusal_not_recorded", error=type(problem).__name__, action=event.action)
