"""The door for people who read: pages of entries, one entry, the live stream (R0.4)."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, Field, StringConstraints

from services.audit.clients import Values
from services.audit.stream import errors, service
from services.audit.stream.frames import LOOK_S, frames
from services.audit.stream.rules import Filter
from services.audit.stream.schemas import Entry
from services.audit.stream.tail import Tail
from shared.auth import Authenticator, Principal, address_of, may
from shared.db import Database
from shared.web import Cursor, Limit, Page, Router, problem_responses
from shared.web.pages import read_cursor, write_cursor

_READ = "entry.read"

Reader = Annotated[Principal, may(_READ)]
Text = Annotated[str | None, StringConstraints(min_length=1, max_length=512)]
Index = Annotated[int, Path(ge=0, lt=service.END)]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))]
Opened = Annotated[bool, Query(alias="values", description="open sealed values, where you may")]


class EventStream(StreamingResponse):
    """A plain stream: a route of FastAPI's own SSE kind is itself the generator and cannot refuse before it begins."""

    media_type = "text/event-stream"


def build(database: Database, origin: str, authenticator: Authenticator, tail: Tail, values: Values) -> Router:
    router = Router(tags=["entries"])
    _page_routes(router, database, values)
    _live_route(router, database, origin, authenticator, tail, values)
    return router


def _page_routes(router: Router, database: Database, values: Values) -> None:
    @router.get("/v1/entries", summary="Entries, oldest first", responses=problem_responses(422))
    async def list_entries(
        who: Reader,
        subject: Text = None,
        type: Text = None,
        actor: Text = None,
        since: Annotated[Moment | None, Query(alias="from", description="happened then or later")] = None,
        until: Annotated[Moment | None, Query(alias="to", description="happened before")] = None,
        order: Literal["asc", "desc"] = "asc",
        opened: Opened = True,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Entry]:
        _require_all_units(who)
        after = read_cursor(cursor, int)[0] if cursor else None
        wanted = Filter(subject, type, actor, since, until)
        found, last = await service.page(database, wanted, after=after, limit=limit, descending=order == "desc")
        items = await service.present(found, who, values, opened=opened)
        return Page(items=items, next_cursor=None if last is None else write_cursor(last))

    @router.get("/v1/entries/{index}", summary="One entry", responses=problem_responses(404))
    async def get_entry(index: Index, who: Reader) -> Entry:
        _require_all_units(who)
        return (await service.present([await service.entry(database, index)], who, values, opened=True))[0]


def _live_route(
    router: Router, database: Database, origin: str, authenticator: Authenticator, tail: Tail, values: Values
) -> None:
    @router.get(
        "/v1/stream",
        summary="Entries as they come, as Server-Sent Events",
        response_class=EventStream,
        responses=problem_responses(422),
    )
    async def stream_entries(
        request: Request,
        who: Reader,
        subject: Text = None,
        type: Text = None,
        actor: Text = None,
        opened: Opened = True,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventStream:
        _require_all_units(who)
        after = await service.place(database, origin, last_event_id)
        batches = service.follow(database, tail, Filter(subject, type, actor), after, LOOK_S)

        async def reader() -> Principal:
            principal = await authenticator.principal(request.headers.get("authorization"), address_of(request))
            _require_all_units(principal)
            return principal

        return EventStream(frames(batches, reader, values, opened=opened))


def _require_all_units(who: Principal) -> None:
    if not who.scope(_READ).everything:
        raise errors.not_everywhere()
