"""Lines: the company's numbers and accounts, each with one holder at a time. Called by routes. Requirement R7.1.

An assignment is a change of its holder, and told as one: the event says that lines changed, the number is sealed.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.identity.line import errors, repository, rules
from services.identity.line.repository import Wanted
from services.identity.staff.access import Access
from services.identity.staff.chronicle import Chronicle
from services.identity.staff.handing import Carried
from services.identity.staff.rules import DAY, after
from shared.auth import Principal, Subject, within
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.ids import parse_id
from shared.regime import Regimes

READ, ASSIGN = "line.read", "line.assign"
CHANNELS = "line_channel"


class Lines:
    """Numbers and accounts; `Holdings` of their holders."""

    def __init__(self, access: Access, chronicle: Chronicle, regimes: Regimes) -> None:
        self._access = access
        self._chronicle = chronicle
        self._regimes = regimes

    async def assign(
        self, tx: Transaction, who: Principal, channel: str, value: str, holder: str, from_on: date,
        until_on: date | None, now: datetime,
    ) -> Record:  # fmt: skip
        """Give a number to a person. Raises: NotFound (no such person), Conflict (line_held, staff_left), Invalid"""
        person = await self._access.writable(tx, who, ASSIGN, holder)
        today = day_of(now)
        normal = self._normal(channel, value, today)
        faults = []
        if from_on < today:
            faults.append(Fault("/from_on", "in_the_past", from_on.isoformat(), "today or a later day"))
        if person.last_day is not None and from_on > person.last_day:
            faults.append(Fault("/from_on", "after_last_day", from_on.isoformat(), "a day before the person leaves"))
        if until_on is not None and until_on < from_on:
            faults.append(Fault("/until_on", "before_from_on", until_on.isoformat(), "from_on or a later day"))
        if faults:
            raise errors.bad_line(faults)
        try:
            line_id = await repository.add(tx, channel, normal, holder, from_on, until_on, who.actor, now)
        except repository.Held:
            raise errors.line_held() from None
        given = await self._row(tx, line_id)
        await self._chronicle.record(tx, holder, {"line": after(_dump(given))}, who.actor, now)
        return given

    async def end(
        self, tx: Transaction, who: Principal, line_id: UUID, until_on: date, now: datetime
    ) -> Mapping[str, Any]:
        """Let a line end, or end on another day; the line with its end.

        Yesterday ends it at once: what has not begun, or began today, never was. Raises: NotFound, Conflict, Invalid
        """
        found = await self.read(tx, who, line_id, ASSIGN)
        await self._access.writable(tx, who, ASSIGN, found["holder"])
        found, today = await self._row(tx, line_id), day_of(now)
        if found["until_on"] is not None and found["until_on"] < today:
            raise errors.line_over()
        earliest = max(found["from_on"], today)
        if until_on < earliest and until_on != today - DAY:
            expected = f"{earliest.isoformat()} or a later day, or yesterday to end it at once"
            raise errors.bad_line([Fault("/until_on", "too_early", until_on.isoformat(), expected)])
        ended = {**found, "until_on": until_on}
        if until_on < found["from_on"]:
            await repository.drop(tx, line_id)
            changes = after(None, _dump(found))
        else:
            await self._set_end(tx, line_id, until_on, who.actor)
            changes = after(_dump(ended), _dump(found))
        await self._chronicle.record(tx, found["holder"], {"line": changes}, who.actor, now)
        return ended

    async def _set_end(self, tx: Transaction, line_id: UUID, until_on: date, actor: str) -> None:
        try:
            await repository.set_end(tx, line_id, until_on, actor)
        except repository.Held:
            raise errors.line_held() from None

    async def read(self, tx: Transaction, who: Principal, line_id: UUID, action: str = READ) -> Record:
        """A line within reach. Raises: NotFound"""
        found = await self._row(tx, line_id)
        within(who, action, found["unit"], found["holder"])
        return found

    async def subject(self, tx: Transaction, key: str, _now: datetime) -> Subject | None:
        """A line as authority sees it, for explanations: its holder's."""
        line_id = parse_id(key)
        found = None if line_id is None else await repository.get(tx, line_id)
        return None if found is None else Subject(found["unit"], found["holder"])

    async def page(
        self, tx: Transaction, who: Principal, now: datetime, limit: int, *, channel: str | None = None,
        value: str | None = None, holder: str | None = None, on: date | None = None, after: UUID | None = None,
    ) -> list[Record]:  # fmt: skip
        """A page of lines within reach; a value is looked for in its one spelling. Raises: Invalid"""
        if value is not None:
            if channel is None:
                raise errors.bad_line([Fault("query:channel", "missing", None, "the channel of the value")])
            value = self._normal(channel, value, day_of(now), "query:")
        wanted = Wanted(who.scope(READ), channel, value, holder, on, after)
        return await repository.page(tx, wanted, limit)

    def _normal(self, channel: str, value: str, today: date, place: str = "/") -> str:
        codes = self._regimes.codelist(CHANNELS, on=today).codes
        if channel not in codes:
            raise errors.bad_line([Fault(f"{place}channel", "not_listed", channel, list(codes))])
        normal = rules.normal(channel, value)
        if normal is None:
            raise errors.bad_line([Fault(f"{place}value", "not_of_the_channel", None, rules.expected(channel))])
        return normal

    async def _row(self, tx: Transaction, line_id: UUID) -> Record:
        found = await repository.get(tx, line_id)
        if found is None:
            raise errors.no_such_line()
        return found

    async def carried(self, tx: Transaction, name: str, day: date) -> list[Carried]:
        """What a person has to hand over."""
        rows = await repository.carried(tx, name, day)
        return [Carried("line", str(row["id"]), row["channel"], row["unit"], row["done"]) for row in rows]

    async def end_with(self, tx: Transaction, name: str, last_day: date) -> None:
        """End what a leaver holds."""
        await repository.end_all(tx, name, last_day)


def _dump(line: Mapping[str, Any] | Record) -> dict[str, str | None]:
    """A line as the history keeps it."""
    days = {day: line[day] and line[day].isoformat() for day in ("from_on", "until_on")}
    return {"channel": line["channel"], "value": line["value"], **days}
