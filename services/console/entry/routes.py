"""The pages about the audit log."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from services.console.clients import Peers, panel, together
from services.console.entry.live import Source, rows
from services.console.entry.rules import Search, tidy
from services.console.entry.service import Entries
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.events import EVENTS
from shared.web import Router

_ROWS = 50
_LIVE_ROWS = 30
Index = Annotated[int, Path(ge=0, lt=1 << 63)]
Text = Annotated[str | None, Query(max_length=512)]
Place = Annotated[int | None, Query(ge=0, lt=1 << 63)]
Day = Annotated[str | None, Query(max_length=10)]


def build(pages: Pages, visits: Visits, peers: Peers, entries: Entries) -> Router:
    router = Router(prefix="/entries", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def search_entries(
        visit: Person,
        subject: Text = None,
        type: Text = None,
        actor: Text = None,
        since: Day = None,
        until: Day = None,
        cursor: Text = None,
    ) -> Response:
        search = Search(tidy(subject), tidy(type), tidy(actor), _day(since), _day(until))
        found = await panel(entries.page(visit, search, cursor=cursor, limit=_ROWS))
        return pages.answer(
            visit, "entries.html", search=search, found=found, types=sorted(EVENTS), is_first=cursor is None
        )

    @router.get("/live")
    async def show_live_entries(visit: Person, subject: Text = None, type: Text = None, actor: Text = None) -> Response:
        search = Search(tidy(subject), tidy(type), tidy(actor))
        found = await panel(_latest(visit, search))
        return pages.answer(visit, "live.html", search=search, found=found, types=sorted(EVENTS))

    async def _latest(visit: Visit, search: Search) -> dict[str, Any]:
        """The newest rows, and the place behind which the stream goes on: nothing is missed and nothing comes twice."""
        newest = await entries.newest(visit)
        items = (await entries.page(visit, search, limit=_LIVE_ROWS))["items"]
        seen = [index for index in (newest, *(each["index"] for each in items[:1])) if index is not None]
        return {"items": items, "after": max(seen, default=None)}

    @router.get("/stream")
    async def stream_entries(
        visit: Person,
        subject: Text = None,
        type: Text = None,
        actor: Text = None,
        after: Place = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        def row(entry: dict[str, Any]) -> str:
            return pages.render(visit, "part/entry_row.html", entry=entry, fresh=True)

        async def again() -> Visit | None:
            return await visits.again(visit)

        source = Source(peers, Search(tidy(subject), tidy(type), tidy(actor)).live, row, again)
        place = last_event_id or (None if after is None else str(after))
        return StreamingResponse(rows(source, place), media_type="text/event-stream")

    @router.get("/{index}")
    async def show_entry(visit: Person, index: Index) -> Response:
        entry = await entries.entry(visit, index)
        asked = await together(proof=entries.proof(visit, index, entry["leaf_hash"]))
        return pages.answer(visit, "entry.html", entry=entry, **asked)

    return router


def _day(given: str | None) -> date | None:
    """A day as the browser's date field sends it; what is no day does not filter."""
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        return None
