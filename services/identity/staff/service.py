"""People: who is in the directory, where they stand, how they come in. Called by routes and by the features above."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from services.identity.org.service import Org
from services.identity.staff import errors, holding, listing, repository, rules
from services.identity.staff.access import Access
from services.identity.staff.chronicle import Chronicle, Fact
from services.identity.staff.due import Due
from services.identity.staff.rules import Newcomer, Person, after
from shared.auth import Principal, Subject
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import before_and_after, clashes, clashing, differing, version_ahead
from shared.errors import Fault
from shared.events import StaffJoined, Standing

READ, CHANGE = "staff.read", "staff.change"


def _joined(fact: Fact) -> StaffJoined:
    return StaffJoined(**fact)


class Names(Protocol):
    """Whoever else gives out names that tokens are issued to; a feature above."""

    async def known(self, tx: Transaction) -> set[str]:
        """All names that are given."""
        ...


class Staff:
    """The directory's people. `taken`: names that no person can have."""

    def __init__(self, org: Org, access: Access, chronicle: Chronicle, due: Due, taken: Sequence[Names] = ()) -> None:
        self._org = org
        self._taken = taken
        self._access = access
        self._chronicle = chronicle
        self._due = due

    async def standing(self, tx: Transaction, name: str, on: date | None = None) -> Standing | None:
        """Where a person stands, whatever state they are in; what they held before `on` is left out."""
        person = await repository.get(tx, name)
        return None if person is None else rules.standing_of(person, await repository.held(tx, name), on)

    async def full_name(self, tx: Transaction, name: str) -> str | None:
        """What a person is called."""
        person = await repository.get(tx, name)
        return None if person is None else person.full_name

    async def known(self, tx: Transaction, names: Iterable[str]) -> dict[str, Person]:
        """Those of the names that there are."""
        return await repository.known(tx, names)

    async def page(self, tx: Transaction, wanted: listing.Wanted, limit: int, now: datetime) -> list[Record]:
        """A page of people, by name."""
        return await listing.page(tx, wanted, day_of(now), limit)

    async def subject(self, tx: Transaction, name: str, _now: datetime) -> Subject | None:
        """A person as authority sees them, for explanations."""
        person = await repository.get(tx, name)
        return None if person is None else Subject(person.unit, person.name)

    async def read(self, tx: Transaction, who: Principal, name: str, now: datetime) -> dict[str, Any]:
        """A person with what they hold, now and to come. Raises: NotFound"""
        return await self._view(tx, await self._access.person(tx, who, READ, name), day_of(now))

    async def _view(self, tx: Transaction, person: Person, today: date) -> dict[str, Any]:
        relations = [row for row in await holding.relations(tx, person.name) if row["until_on"] >= today]
        return {
            "person": person,
            "posts": [row for row in await holding.posts(tx, person.name) if _is_open(row, today)],
            "roles": [row for row in await repository.grants(tx, person.name) if _is_open(row, today)],
            "deputies": [row for row in relations if row["staff"] == person.name],
            "deputy_for": [row for row in relations if row["deputy"] == person.name],
        }

    async def join(self, tx: Transaction, who: Principal, newcomer: Newcomer, now: datetime) -> dict[str, Any]:
        """Enter a person, who may come later. Raises: Forbidden, Conflict (name_taken), Invalid"""
        await self.admit(tx, who, newcomer, now)
        return await self._written(tx, newcomer.name, now)

    async def admit(self, tx: Transaction, who: Principal, newcomer: Newcomer, now: datetime) -> Standing:
        """The same, for who does not want to see the outcome."""
        await self._org.hold(tx, who)
        await self._access.unit(tx, who, CHANGE, newcomer.unit)
        if await repository.get(tx, newcomer.name) is not None or await self._is_taken(tx, newcomer.name):
            raise errors.name_taken(newcomer.name)
        return await self.enter(tx, newcomer, who.actor, now)

    async def _is_taken(self, tx: Transaction, name: str) -> bool:
        return any([name in await names.known(tx) for names in self._taken])

    async def _written(self, tx: Transaction, name: str, now: datetime) -> dict[str, Any]:
        """What somebody who may change a person is told of the outcome."""
        person = await repository.get(tx, name)
        assert person is not None
        return await self._view(tx, person, day_of(now))

    async def enter(self, tx: Transaction, newcomer: Newcomer, actor: str, now: datetime) -> Standing:
        """The same for a person who was checked, or for whom the directory file vouches."""
        state = rules.state_of(newcomer.first_day, None, day_of(now))
        person = Person(
            name=newcomer.name, full_name=newcomer.full_name, unit=newcomer.unit, state=state,
            clearance=newcomer.clearance, first_day=newcomer.first_day, last_day=None, successor=None, version=0,
        )  # fmt: skip
        await repository.add(tx, person)
        await repository.add_post(tx, person.name, newcomer.unit, newcomer.title, newcomer.first_day)
        for role in newcomer.roles:
            await repository.add_grant(tx, person.name, role, actor, now)
        return await self._publish(tx, newcomer, actor, now)

    async def _publish(self, tx: Transaction, newcomer: Newcomer, actor: str, now: datetime) -> Standing:
        post = rules.post_json(newcomer.unit, newcomer.title, newcomer.first_day, None)
        changes = {
            "full_name": after(newcomer.full_name),
            "first_day": after(newcomer.first_day.isoformat()),
            "post": after(post),
        }
        if newcomer.clearance is not None:
            changes["clearance"] = after(newcomer.clearance)
        if newcomer.roles:
            changes["role"] = after([role.as_json() for role in newcomer.roles])
        return await self._chronicle.record(tx, newcomer.name, changes, actor, now, _joined)

    async def announce(self, tx: Transaction, now: datetime) -> int:
        """Publish people who were carried over from before there were events; how many."""
        people = await repository.unpublished(tx)
        for person in people:
            rows = await repository.grants(tx, person.name)
            roles = tuple(rules.Role(row["role"], row["unit"], row["from_on"], row["until_on"]) for row in rows)
            newcomer = Newcomer(person.name, person.full_name, person.unit, person.first_day, roles=roles)
            await self._publish(tx, newcomer, "system", now)
        return len(people)

    async def restate(self, tx: Transaction, actor: str, now: datetime) -> int:
        """Publish where everybody stands once more, as a new version in which nothing changed; how many."""
        names = await repository.names(tx)
        for name in names:
            await self._chronicle.record(tx, name, {}, actor, now)
        return len(names)

    async def change(
        self, tx: Transaction, who: Principal, name: str, base: int, wanted: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Change particulars (`full_name`, `first_day`) of a person whom the caller read at version `base`.

        Edits of other items since then are merged. Nothing to change: the same version again.
        Raises: NotFound, Invalid, Conflict, PreconditionFailed
        """
        person = await self._access.writable(tx, who, CHANGE, name)
        if base > person.version:
            raise version_ahead(person.version)
        if met := clashes(wanted, _particulars(person), await self._chronicle.since(tx, name, base)):
            raise clashing(met, person.version)
        await self.amend(tx, who, person, wanted, now)
        return await self._written(tx, name, now)

    async def amend(
        self, tx: Transaction, who: Principal, person: Person, wanted: Mapping[str, Any], now: datetime
    ) -> bool:
        """The same for a person as they are now, whom the caller may change; whether anything was different."""
        present = _particulars(person)
        changed = differing(present, wanted)
        if "first_day" in changed:
            await self._access.require_no_deputy(tx, who, person.name, day_of(now))
        if changed:
            async with self._chronicle.heard_by_deputies(tx, person.name, who.actor, now):
                await self._store(tx, person, changed, day_of(now))
                await self._chronicle.record(tx, person.name, before_and_after(present, changed), who.actor, now)
            await self._due.settle(tx, person.name, who.actor, now)
        return bool(changed)

    async def _store(self, tx: Transaction, person: Person, changed: Mapping[str, Any], today: date) -> None:
        if "first_day" in changed:
            first_day = date.fromisoformat(changed["first_day"])
            await self._put_off(tx, person, first_day, today)
            changed = {**changed, "first_day": first_day}
        await repository.store(tx, person.name, **changed)

    async def _put_off(self, tx: Transaction, person: Person, first_day: date, today: date) -> None:
        """Let a person who is still to come begin on another day, and with it their first post."""
        if person.state != "expected":
            raise errors.has_started()
        first, *others = [row for row in await holding.posts(tx, person.name) if row["main"]]
        if first_day < today:
            raise errors.bad_staff([Fault("/first_day", "in_the_past", first_day.isoformat(), "today or a later day")])
        if person.last_day is not None and first_day > person.last_day:
            expected = "the last day or an earlier one"
            raise errors.bad_staff([Fault("/first_day", "after_last_day", first_day.isoformat(), expected)])
        if others and first_day >= others[0]["from_on"]:
            raise errors.post_overlaps(others[0]["from_on"])
        await holding.set_post(tx, first["id"], "from_on", first_day)


def _particulars(person: Person) -> dict[str, Any]:
    return {"full_name": person.full_name, "first_day": person.first_day.isoformat()}


def _is_open(row: Record, today: date) -> bool:
    return row["until_on"] is None or row["until_on"] >= today
