"""Routes that every service has for operations staff: its dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from shared import deadletters
from shared.auth import Principal, may
from shared.auth.doors import require_unchanged
from shared.db import Database, Record, Transaction
from shared.events import DeadLetterHandled
from shared.inbox import Handle
from shared.outbox import Outbox
from shared.web.door import Router, Tx
from shared.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from shared.web.problems import problem_responses

Reader = Annotated[Principal, may("dead_letter.read")]
Handler = Annotated[Principal, may("dead_letter.handle")]


class DeadLetter(BaseModel):
    """A parked event, without its content (which may hold personal values)."""

    id: UUID
    consumer_group: str
    topic: str
    partition: int
    position: int
    event_id: UUID | None
    type: str | None
    subject: str | None
    error: str
    fingerprint: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime


def build(database: Database, outbox: Outbox, handlers: Mapping[str, Handle]) -> Router:
    """The dead-letter routes of a service whose consumer groups have these handlers."""
    router = Router(prefix="/v1/dead-letters", tags=["operations"])

    @router.get("", summary="Events that a consumer could not apply, newest first", responses=problem_responses(422))
    async def list_dead_letters(tx: Tx, _who: Reader, cursor: Cursor = None, limit: Limit = 50) -> Page[DeadLetter]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        rows = await deadletters.list_letters(tx, before=before, limit=limit + 1)
        shown = [_shape(row) for row in rows[:limit]]
        return Page(items=shown, next_cursor=write_cursor(shown[-1].id) if len(rows) > limit else None)

    @router.get("/{letter_id}", summary="One parked event", responses=problem_responses(404))
    async def get_dead_letter(letter_id: UUID, tx: Tx, _who: Reader) -> DeadLetter:
        return _shape(await deadletters.get_letter(tx, letter_id))

    @router.post("/{letter_id}/replay", summary="Apply it once more", responses=problem_responses(404, 409))
    async def replay_dead_letter(letter_id: UUID, request: Request, who: Handler) -> DeadLetter:
        async def record(tx: Transaction, row: Record) -> None:
            await require_unchanged(request)  # here: what is replayed commits before the door looks
            await _note(outbox, tx, row, who, "replayed")

        return _shape(await deadletters.replay(database, letter_id, dict(handlers), record))

    @router.post("/{letter_id}/discard", status_code=204, summary="Give it up", responses=problem_responses(404))
    async def discard_dead_letter(letter_id: UUID, tx: Tx, who: Handler) -> Response:
        await _note(outbox, tx, await deadletters.discard(tx, letter_id), who, "discarded")
        return Response(status_code=204)

    return router


def _shape(row: Record) -> DeadLetter:
    return DeadLetter.model_validate({name: row[name] for name in DeadLetter.model_fields})


async def _note(outbox: Outbox, tx: Transaction, row: Record, who: Principal, outcome: str) -> None:
    event = DeadLetterHandled(
        group=row["consumer_group"],
        letter_id=str(row["id"]),
        event_id=str(row["event_id"]) if row["event_id"] else None,
        outcome=outcome,
    )
    envelope = outbox.envelope(event, feature="operations", subject=f"dead-letter/{row['id']}", actor=who.actor)
    await outbox.add(tx, envelope, event)
