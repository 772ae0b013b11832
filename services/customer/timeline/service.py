"""The timeline of a customer: versions of the file, and what every feature that keeps records says (R5.3).

A page asks each source for a page, from where the reader stands: depth costs nothing. No values are in it; what a
reader may not ask of a source is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.customer.file.history import HISTORY, Histories
from services.customer.file.related import Related
from services.customer.file.service import Files
from services.customer.timeline import rules
from services.customer.timeline.rules import FILE, Line, Position
from shared.auth import Principal
from shared.db import Transaction

READ = "timeline.read"
_CHUNK, _CHUNKS = 200, 5


class Timelines:
    """What happened to customers."""

    def __init__(self, files: Files, histories: Histories, related: Sequence[Related]) -> None:
        self._files = files
        self._histories = histories
        self._related = related

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, position: Position, limit: int, kind: str | None
    ) -> tuple[list[Line], Position | None]:
        """Lines from a position on, perhaps of one type only, and where the next page begins.

        The search for one type looks at a thousand lines at most, so that such a page may be short and not the last.
        Raises: NotFound
        """
        file = await self._files.reach(tx, who, READ, customer_id)
        place = file["unit"], file["manager"]
        sources = {each.name: each for each in self._related if who.sight(each.action, *place)}
        with_file = bool(who.sight(HISTORY, *place))
        taken: list[Line] = []
        size = limit if kind is None else _CHUNK
        for _ in range(1 if kind is None else _CHUNKS):
            found = await self._lines(tx, sources, with_file, customer_id, position, size + 1)
            for number, line in enumerate(found[:size], 1):
                position = position.after(line)
                if kind is None or line.told.type == kind:
                    taken.append(line)
                if len(taken) == limit:
                    return taken, position if number < len(found) else None
            if len(found) <= size:
                return taken, None
        return taken, position

    async def _lines(
        self, tx: Transaction, sources: dict[str, Related], with_file: bool, customer_id: UUID, position: Position,
        limit: int,
    ) -> list[Line]:  # fmt: skip
        """The next lines of all sources together."""
        found = {}
        if with_file:
            told = await self._histories.versions(tx, customer_id, position.version, position.by, limit)
            found[FILE] = rules.lines(FILE, told, position)
        for name, feature in sources.items():
            before, seen = position.before(name)
            shown = await feature.happenings(tx, customer_id, before, limit + seen)
            found[name] = rules.lines(name, shown[seen:], position)
        return rules.merged(found, limit)
