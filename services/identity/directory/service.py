"""Loads the directory file and answers who there is. Called by the api's start, by routes, and by sign-in."""

import asyncio
from datetime import datetime

from services.identity.directory import repository
from services.identity.directory.document import BrokenDirectory, Client, DirectoryFile, Person
from services.identity.directory.passwords import Passwords
from services.identity.directory.rules import Account, Kind
from shared.clock import CHINA
from shared.db import Database, Record, Transaction
from shared.regime import Regimes, Role


class Directory:
    def __init__(self, passwords: Passwords, regimes: Regimes) -> None:
        self._passwords = passwords
        self._regimes = regimes

    async def load(self, database: Database, file: DirectoryFile, now: datetime) -> int:
        """Add the units and accounts that are missing; change nothing that exists. How many were added.

        Opens its own transaction, after the hashing: an idle one would not be suffered for as long as that may take.
        Raises: BrokenDirectory, if an account has a role that no measure declares
        """
        self._check_roles(file, now)
        async with database.reading() as tx:
            known = await repository.names(tx)
        accounts = await asyncio.gather(*(self._row(entry) for entry in file.accounts if entry.name not in known))
        units: list[dict[str, object]] = [
            {"id": unit.id, "parent": unit.parent, "title": unit.title.model_dump()}
            for unit in file.units_from_the_top()
        ]
        async with database.transaction() as tx:
            await repository.lock(tx)
            return await repository.add_units(tx, units) + await repository.add_accounts(tx, accounts)

    def _check_roles(self, file: DirectoryFile, now: datetime) -> None:
        declared = {role.id for role in self._regimes.all(Role, on=now.astimezone(CHINA).date())}
        unknown = sorted({role for entry in file.accounts for role in entry.roles} - declared)
        if unknown:
            raise BrokenDirectory(f"no such roles: {', '.join(unknown)}; there are {', '.join(sorted(declared))}")

    async def _row(self, entry: Person | Client) -> dict[str, object]:
        kind, secret, hashed = (
            (Kind.PERSON, entry.password, entry.password_hash)
            if isinstance(entry, Person)
            else (Kind.CLIENT, entry.secret, entry.secret_hash)
        )
        return {
            "name": entry.name,
            "kind": kind.value,
            "full_name": entry.full_name,
            "secret_hash": hashed if secret is None else await self._passwords.hash(secret.get_secret_value()),
            "roles": list(entry.roles),
            "unit": entry.unit,
        }

    async def find(self, tx: Transaction, name: str) -> Account | None:
        return await repository.account(tx, name)

    async def proves(self, account: Account | None, secret: str) -> bool:
        """Whether this is the account's secret; takes as long, and is False, for no account at all."""
        return await self._passwords.verify(account.secret_hash if account else None, secret)

    async def rehash(self, tx: Transaction, account: Account, secret: str) -> None:
        """Hash a proven secret anew if it was hashed more cheaply than today."""
        if self._passwords.is_outdated(account.secret_hash):
            await repository.set_hash(tx, account.name, account.secret_hash, await self._passwords.hash(secret))

    async def units(self, tx: Transaction) -> list[Record]:
        return await repository.units(tx)
