"""Loads the directory file and answers who there is. Called by the api's start, by routes, and by sign-in."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from services.identity.account.rules import faults_of
from services.identity.account.service import Accounts
from services.identity.client.rules import Entry, Kind
from services.identity.client.service import Clients
from services.identity.directory.document import BrokenDirectory, Client, DirectoryFile, Person
from services.identity.org.rules import Unit
from services.identity.org.service import KINDS, Org
from services.identity.staff.deputies import Deputies
from services.identity.staff.rules import Newcomer
from services.identity.staff.rules import Role as Held
from services.identity.staff.service import Staff
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Database, Transaction
from shared.events import Standing
from shared.regime import Regimes, Role

_ACTOR = "system"


class Directory:
    def __init__(
        self, org: Org, staff: Staff, deputies: Deputies, accounts: Accounts, clients: Clients, regimes: Regimes
    ) -> None:
        self._org = org
        self._staff = staff
        self._deputies = deputies
        self._accounts = accounts
        self._clients = clients
        self._regimes = regimes

    async def announce(self, tx: Transaction, now: datetime) -> int:
        """Publish whatever was carried over from before there were events; how much."""
        await self._org.hold(tx, None)
        announced = await self._org.announce(tx, now) + await self._staff.announce(tx, now)
        return announced + await self._clients.announce(tx, now)

    async def load(self, database: Database, file: DirectoryFile, now: datetime) -> int:
        """Add the units, people and clients that are missing; change nothing that exists. How many were added.

        Opens its own transaction, after the hashing: an idle one would not be suffered for as long as that may take.
        Raises: BrokenDirectory, if the file names roles or kinds of units that no measure declares, or taken names, or
        gives somebody a password that they could not set themself
        """
        today = day_of(now)
        self._check(file, today)
        async with database.reading() as tx:
            known = await self._accounts.known(tx) | await self._clients.known(tx)
        missing = [each for each in file.accounts if each.name not in known]
        self._check_passwords(missing, now)
        hashes = {each.name: await self._hash(each) for each in missing}
        async with database.transaction() as tx:
            await self._org.hold(tx, None)
            await self._check_names(tx, file)
            added = await self._add_units(tx, file, now)
            added += await self._add_people(tx, file.people, today, now)
            for person in file.people:
                added += await self._accounts.add(tx, person.name, hashes.get(person.name), now)
            for client in file.clients:
                added += await self._add_client(tx, client, hashes, now)
            return added

    def _check(self, file: DirectoryFile, today: date) -> None:
        roles = self._regimes.all(Role, on=today)
        for entry in file.accounts:
            _refuse_unknown("roles", entry.role_names, {role.id for role in roles if role.held_by == entry.kind})
        kinds = {*self._regimes.codelist(KINDS, on=today).codes}
        _refuse_unknown("kinds of units", (unit.kind for unit in file.units if unit.kind is not None), kinds)

    def _check_passwords(self, entries: Iterable[Person | Client], now: datetime) -> None:
        policy = self._accounts.policy(now)
        given = {each.name: each.password for each in entries if isinstance(each, Person) and each.password}
        faults = [
            f"password of {name}: wanted {fault.expected}"
            for name, password in given.items()
            for fault in faults_of(password.get_secret_value(), name, policy)
        ]
        if faults:
            raise BrokenDirectory("\n".join(faults))

    async def _check_names(self, tx: Transaction, file: DirectoryFile) -> None:
        """A token says whose it is by name alone: no person and client may share one."""
        people, clients = {each.name for each in file.people}, {each.name for each in file.clients}
        if reserved := clients & self._clients.reserved:
            raise BrokenDirectory(f"no client may be called {', '.join(reserved)}: tokens are meant for that")
        shared = people & await self._clients.known(tx) | set(await self._staff.known(tx, clients))
        if shared:
            raise BrokenDirectory(
                f"names of people that clients have, or the other way round: {', '.join(sorted(shared))}"
            )

    async def _add_units(self, tx: Transaction, file: DirectoryFile, now: datetime) -> int:
        known = await self._org.known(tx, [unit.id for unit in file.units])
        missing = [unit for unit in file.units_from_the_top() if unit.id not in known]
        for entry in missing:
            kind = entry.kind or ("company" if entry.parent is None else "department")
            await self._org.add(tx, Unit(entry.id, entry.parent, kind, entry.title.model_dump()), _ACTOR, now)
        return len(missing)

    async def _add_people(self, tx: Transaction, people: Iterable[Person], today: date, now: datetime) -> int:
        known = await self._staff.known(tx, [person.name for person in people])
        missing = [person for person in people if person.name not in known]
        for entry in missing:
            await self._staff.enter(tx, _newcomer(entry, today), _ACTOR, now)
        for entry in missing:
            for each in entry.deputies:
                from_on = each.from_on or today
                if from_on <= each.until_on:  # else it was over before the person came in
                    await self._deputies.add(tx, entry.name, each.deputy, from_on, each.until_on, _ACTOR, now)
        return len(missing)

    async def _hash(self, entry: Person | Client) -> str | None:
        """Of its secret; None for an app, which has none."""
        secret, hashed = (
            (entry.password, entry.password_hash) if isinstance(entry, Person) else (entry.secret, entry.secret_hash)
        )
        return hashed if secret is None else await self._accounts.hash(secret.get_secret_value())

    async def _add_client(
        self, tx: Transaction, client: Client, hashes: Mapping[str, str | None], now: datetime
    ) -> int:
        title = {"zh": client.full_name, "en": client.full_name}
        uris = {"redirect_uris": client.redirect_uris, "sign_out_uris": client.sign_out_uris}
        entry = Entry(client.name, Kind(client.kind), title, client.unit, client.roles, **uris)
        return await self._clients.add(tx, entry, now, secret_hash=hashes.get(client.name))

    async def standing(self, tx: Transaction, name: str, now: datetime) -> Standing | None:
        """Where a person stands; None for a program, and for people of another issuer."""
        return await self._staff.standing(tx, name, day_of(now))

    async def full_name(self, tx: Transaction, who: Principal, now: datetime) -> str | None:
        """What a caller is called; None for whom another issuer knows."""
        if who.actor == f"staff/{who.name}":
            return await self._staff.full_name(tx, who.name)
        client = await self._clients.find(tx, who.name, now)
        return client.title["zh"] if client else None


def _newcomer(entry: Person, today: date) -> Newcomer:
    first_day = entry.first_day or today
    roles = tuple(
        Held(each.role, each.unit or entry.unit, each.from_on or first_day, each.until_on)
        for each in entry.roles
        if each.until_on is None or (each.from_on or first_day) <= each.until_on  # else it was over before
    )
    clearance = entry.clearance and entry.clearance.value
    return Newcomer(entry.name, entry.full_name, entry.unit, first_day, entry.title, clearance, roles)


def _refuse_unknown(what: str, named: Iterable[str], declared: set[str]) -> None:
    if unknown := sorted({*named} - declared):
        raise BrokenDirectory(f"no such {what}: {', '.join(unknown)}; there are {', '.join(sorted(declared))}")
