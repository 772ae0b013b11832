"""Brings many people in at once: rows become the same calls as single requests, all of them or none. Called by routes.

A dry run does the same and takes it back, so that it finds exactly what an import would find.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from services.identity.intake import errors, sheet
from services.identity.intake.rules import CellFault, shown
from services.identity.intake.schemas import ImportOutcome, Row
from services.identity.staff.access import GRANT, Access
from services.identity.staff.grants import Grants
from services.identity.staff.posts import Post, Posts
from services.identity.staff.rules import Newcomer, Person, Role
from services.identity.staff.service import CHANGE, Staff
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import KehuError

IMPORT = "staff.import"
_COLUMNS = {"role": "roles", "from_on": "unit"}
"""Where a fault of a single request stands in the table, if it is called otherwise there."""


class Fate(StrEnum):
    """What becomes of a row."""

    JOINED = "joined"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class _TakenBack(Exception):
    """Ends a dry run."""


class Intake:
    """Imports tables of people."""

    def __init__(self, access: Access, staff: Staff, posts: Posts, grants: Grants) -> None:
        self._access = access
        self._staff = staff
        self._posts = posts
        self._grants = grants

    async def run(
        self, tx: Transaction, who: Principal, content: bytes, now: datetime, *, dry_run: bool
    ) -> ImportOutcome:
        """Import a file, or only try to. Raises: Malformed, TooLarge, Invalid (all faults, row by row)"""
        table = sheet.read(content)
        rows, faults = _shaped(table.rows)
        faults = [*table.faults, *faults]
        fates = Counter[Fate]()
        await self._access.hold(tx, who)
        try:
            async with tx.savepoint():
                for number, row in rows.items():
                    try:
                        async with tx.savepoint():
                            fates[await self._bring(tx, who, row, now)] += 1
                    except KehuError as error:
                        faults += _faults_of(number, error)
                if dry_run:
                    raise _TakenBack
        except _TakenBack:
            pass
        if faults:
            raise errors.refused(sorted(faults, key=lambda fault: fault.row))
        counts = {fate.value: fates[fate] for fate in Fate}
        return ImportOutcome(dry_run=dry_run, rows=len(rows), **counts)

    async def _bring(self, tx: Transaction, who: Principal, row: Row, now: datetime) -> Fate:
        """One person, new or known. Raises: KehuError"""
        person = (await self._staff.known(tx, [row.name])).get(row.name)
        if person is not None:
            return await self._renew(tx, who, person, row, now)
        first_day = row.first_day or day_of(now)
        newcomer = Newcomer(row.name, row.full_name, row.unit, first_day, row.title)
        await self._staff.admit(tx, who, newcomer, now)
        await self._give(tx, who, row, now)
        return Fate.JOINED

    async def _renew(self, tx: Transaction, who: Principal, person: Person, row: Row, now: datetime) -> Fate:
        """Bring a known person in line with the row; roles are added, never taken away."""
        person = await self._access.writable(tx, who, CHANGE, person.name)
        days = {} if row.first_day is None else {"first_day": row.first_day.isoformat()}
        changed = await self._staff.amend(tx, who, person, {"full_name": row.full_name, **days}, now)
        main = await self._posts.latest(tx, person.name)
        if main["unit"] != row.unit or (row.title is not None and row.title != main["title"]):
            await self._posts.take_up(tx, who, person.name, Post(row.unit, row.title, day_of(now)), now)
            changed = True
        given = await self._give(tx, who, row, now)
        return Fate.CHANGED if changed or given else Fate.UNCHANGED

    async def _give(self, tx: Transaction, who: Principal, row: Row, now: datetime) -> bool:
        """Give the roles that the person does not hold; whether there were any."""
        if not row.roles:
            return False
        held = await self._grants.held(tx, row.name, row.unit, day_of(now))
        missing = [role for role in dict.fromkeys(row.roles) if role not in held]
        if missing and not who.may(GRANT):
            raise errors.no_grant(missing)
        from_on = max(row.first_day or day_of(now), day_of(now))
        for role in missing:
            await self._grants.give(tx, who, row.name, Role(role, row.unit, from_on), now)
        return bool(missing)


def _shaped(table: Mapping[int, Mapping[str, str]]) -> tuple[dict[int, Row], list[CellFault]]:
    """The rows that have the right shape, and what is wrong with the others."""
    rows, faults, names = dict[int, Row](), list[CellFault](), dict[str, int]()
    for number, cells in table.items():
        if not cells:
            continue  # it could not be read, and a fault of the table says so
        try:
            row = Row.model_validate(cells)
        except ValidationError as error:
            faults += [
                CellFault(number, str(each["loc"][0]), each["type"], shown(cells.get(str(each["loc"][0]))), each["msg"])
                for each in error.errors(include_url=False)
            ]
            continue
        if (first := names.setdefault(row.name, number)) != number:
            faults.append(CellFault(number, "name", "repeated", row.name, f"a name that row {first} does not have"))
            continue
        rows[number] = row
    return rows, faults


def _faults_of(number: int, error: KehuError) -> list[CellFault]:
    """What a refusal of one person says of their row."""
    if not error.faults:
        return [CellFault(number, None, error.code, None, error.detail)]
    places = (fault.pointer.strip("/").partition("/")[0] for fault in error.faults)
    return [
        CellFault(number, _COLUMNS.get(place, place), fault.code, shown(fault.seen), fault.expected)
        for place, fault in zip(places, error.faults, strict=True)
    ]
