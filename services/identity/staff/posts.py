"""Posts: a transfer gives a person another main post, and takes the roles over the unit that they leave (R5.7)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.identity.staff import errors, holding, repository
from services.identity.staff.access import Access
from services.identity.staff.chronicle import Chronicle
from services.identity.staff.due import Due
from services.identity.staff.rules import DAY, Person, after, post_json
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault

CHANGE = "staff.change"


@dataclass(frozen=True, slots=True)
class Post:
    """A post to take up. Only posts beside the main one can be given an end."""

    unit: str
    title: str | None
    from_on: date
    until_on: date | None = None
    main: bool = True
    keep_roles: bool = False


class Posts:
    """Posts of people."""

    def __init__(self, access: Access, chronicle: Chronicle, due: Due) -> None:
        self._access = access
        self._chronicle = chronicle
        self._due = due

    async def take_up(self, tx: Transaction, who: Principal, name: str, post: Post, now: datetime) -> Record:
        """Give a person a post; a main one ends the former with the day before. The post.

        Raises: NotFound, Forbidden, Conflict, Invalid
        """
        person = await self._access.another(tx, who, CHANGE, name)
        _check_days(post, person)
        await self._access.unit(tx, who, CHANGE, post.unit)
        take_up = self._transfer if post.main else self._add
        post_id = await take_up(tx, who, person, post, now)
        return next(row for row in await holding.posts(tx, name) if row["id"] == post_id)

    async def _add(self, tx: Transaction, who: Principal, person: Person, post: Post, now: datetime) -> UUID:
        span = (post.from_on, post.until_on)
        post_id = await repository.add_post(tx, person.name, post.unit, post.title, *span, main=False)
        shown = post_json(post.unit, post.title, *span, main=False)
        await self._chronicle.record(tx, person.name, {"post": after(shown)}, who.actor, now)
        return post_id

    async def _transfer(self, tx: Transaction, who: Principal, person: Person, post: Post, now: datetime) -> UUID:
        former = await self.latest(tx, person.name)
        if post.from_on <= former["from_on"]:
            raise errors.post_overlaps(former["from_on"])
        releases = former["unit"] if former["unit"] != post.unit and not post.keep_roles else None
        shown = {
            "before": _dump(former),
            "after": post_json(post.unit, post.title, post.from_on, None),
        }
        async with self._chronicle.heard_by_deputies(tx, person.name, who.actor, now):
            await holding.set_post(tx, former["id"], "until_on", post.from_on - DAY)
            post_id = await repository.add_post(tx, person.name, post.unit, post.title, post.from_on, releases=releases)
            await self._chronicle.record(tx, person.name, {"post": shown}, who.actor, now)
        await self._due.settle(tx, person.name, who.actor, now)
        return post_id

    async def end(self, tx: Transaction, who: Principal, name: str, post_id: UUID, now: datetime) -> None:
        """Call off a post to come, or end one beside the main post at once. Raises: NotFound, Forbidden, Conflict"""
        await self._access.another(tx, who, CHANGE, name)
        today, rows = day_of(now), await holding.posts(tx, name)
        found = next((row for row in rows if row["id"] == post_id), None)
        if found is None or (found["until_on"] is not None and found["until_on"] < today):
            raise errors.no_such_post()
        if found["main"]:
            await self._access.require_no_deputy(tx, who, name, today)
            latest = await self.latest(tx, name)
            if found["from_on"] <= today:
                raise errors.main_post()
            if found["id"] != latest["id"]:
                raise errors.post_overlaps(latest["from_on"])
        async with self._chronicle.heard_by_deputies(tx, name, who.actor, now):
            await holding.end_post(tx, post_id, today)
            if found["main"]:
                former = await self.latest(tx, name)
                await holding.set_post(tx, former["id"], "until_on", None)
            await self._chronicle.record(tx, name, {"post": after(None, _dump(found))}, who.actor, now)

    async def latest(self, tx: Transaction, name: str) -> Record:
        """The main post that begins last."""
        return [row for row in await holding.posts(tx, name) if row["main"]][-1]


def _dump(row: Record) -> object:
    return post_json(row["unit"], row["title"], row["from_on"], row["until_on"], main=row["main"])


def _check_days(post: Post, person: Person) -> None:
    faults = []
    if post.from_on < person.first_day:
        faults.append(Fault("/from_on", "before_first_day", post.from_on.isoformat(), "the first day or a later one"))
    if person.last_day is not None and post.from_on > person.last_day:
        faults.append(Fault("/from_on", "after_last_day", post.from_on.isoformat(), "a day before the person leaves"))
    if post.until_on is not None and post.main:
        faults.append(Fault("/until_on", "main_post", post.until_on.isoformat(), "none: a main post ends by the next"))
    if post.until_on is not None and post.until_on < post.from_on:
        faults.append(Fault("/until_on", "before_from_on", post.until_on.isoformat(), "from_on or a later day"))
    if faults:
        raise errors.bad_staff(faults)
