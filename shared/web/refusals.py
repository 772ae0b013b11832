"""Refusals of known callers, and of known keys, are facts for the audit log (R2.2), each in its own transaction."""

from __future__ import annotations

import re

from fastapi import Request

from shared.auth import Principal
from shared.auth.keys import BadKey
from shared.db import Database, is_passing
from shared.errors import Forbidden, KehuError, NotFound
from shared.events import AccessRefused
from shared.outbox import Outbox
from shared.telemetry import log
from shared.web.key_use import KeyUse

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z0-9._-]{0,63}")


async def record_refusal(request: Request, error: KehuError) -> None:
    """Publish what is to be known of a refusal, if anything is: see below."""
    try:
        if isinstance(error, BadKey):
            key_use: KeyUse = request.app.state.key_use
            await key_use.refused(error)
        else:
            await _record_known_caller(request, error)
    except Exception as problem:
        if not is_passing(problem):
            raise
        log(part="web").error("refusal_not_recorded", error=type(problem).__name__, code=error.code)


async def _record_known_caller(request: Request, error: KehuError) -> None:
    """`access.refused` for a 403, and for a record that is not there or is out of reach.

    Those two are one to the caller, by the answer and by its time, and so both are recorded.
    """
    is_hidden = isinstance(error, NotFound) and error.code == "not_found"
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or not (isinstance(error, Forbidden) or is_hidden):
        return
    outbox: Outbox = request.app.state.outbox
    database: Database = request.app.state.database
    event = AccessRefused(
        action=str(getattr(request.state, "action", "*")),
        code=error.code,
        method=request.method,
        route=str(request.scope.get("kehu.route", "")),
        record=_record_of(request),
    )
    envelope = outbox.envelope(event, feature="access", subject=f"access/{principal.name}", actor=principal.actor)
    async with database.transaction() as tx:
        await outbox.add(tx, envelope, event)


def _record_of(request: Request) -> str | None:
    """The ids in the address, if they look like ids of ours: what else was typed there may be anything."""
    ids = [str(each) for each in request.path_params.values()]
    return "/".join(ids) if ids and all(map(_ID.fullmatch, ids)) else None
