"""The work of imports, step by step, each in a transaction of its own: check some rows, or store some. Called by a job.

A step that dies leaves what the steps before it did, and is done again. What it stored is stored with the step's number
in one transaction, so that nothing is stored twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import reading, repository
from services.customer.exchange.imports import APPLIED, APPLYING, CHECKED, CHECKING, HALTED, REFUSED, Imports
from services.customer.exchange.judging import Judge
from services.customer.exchange.reading import Astray, Line, Step, Task
from services.customer.exchange.repository import IMPORT
from services.customer.exchange.rules import CellFault, Mode, OnFault
from services.customer.exchange.standing import Standing
from services.customer.exchange.vault import FAULTS, FILE, ROWS, Vault
from services.customer.file.bulk import Bulk, Done, New, Outcome, Wanted
from shared import crash
from shared.aside import Aside, Lost
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.errors import Forbidden
from shared.sealing import WrappedKey

_MOST_TRIES = 3
_BATCH = 50
ACCEPTED, PARTLY = "accepted", "partly"


class Importing:
    """Carries imports on."""

    def __init__(
        self, imports: Imports, dictionaries: Dictionaries, bulk: Bulk, vault: Vault, standing: Standing, aside: Aside
    ) -> None:
        self._imports = imports
        self._dictionaries = dictionaries
        self._bulk = bulk
        self._vault = vault
        self._standing = standing
        self._aside = aside
        self._ahead: dict[tuple[UUID, int], asyncio.Task[Step]] = {}

    async def step(self, tx: Transaction, now: datetime) -> int:
        """One step of the import that is due; 0 if none is."""
        if not self._standing.is_known():
            return 0
        row = await repository.next_import(tx)
        if row is None:
            return 0
        await repository.take_time(tx)
        try:
            who = self._standing.principal(row, now)
        except Forbidden:
            await self._imports.ended(tx, row, HALTED if row["state"] == APPLYING else REFUSED, now)
            return 1
        if row["state"] == CHECKING:
            await self._check(tx, who, row, now)
        else:
            await self._apply(tx, who, row, now)
        return 1

    async def end_overdue(self, tx: Transaction, now: datetime) -> int:
        """Delete what was sent for imports that were kept long enough; how many."""
        return await repository.end_overdue(tx, IMPORT, now, _BATCH)

    async def _check(self, tx: Transaction, who: Principal, row: Record, now: datetime) -> None:
        try:
            found = await self._read(tx, row, now)
        except Lost:
            if row["tries"] + 1 >= _MOST_TRIES:
                found = Step([], True, [CellFault(0, None, "unreadable", None, "a file that takes less memory")])
            else:
                await repository.change(tx, IMPORT, row["id"], {"tries": row["tries"] + 1})
                return
        if found.refused:
            await self._keep(tx, row, FAULTS, row["steps"], found.refused)
            await self._imports.ended(tx, row, REFUSED, now, faults=len(found.refused), verdict=REFUSED)
            return
        staged, faults = await self._judge(tx, who, row, found.lines, now)
        limit = self._imports.limits(now).faults
        await self._keep(tx, row, ROWS, row["steps"], staged)
        await self._keep(tx, row, FAULTS, row["steps"], faults[: max(0, limit - row["faults"])])
        counts: dict[str, Any] = {
            "rows": row["rows"] + len(found.lines),
            "valid": row["valid"] + len(staged),
            "refused": row["refused"] + len(found.lines) - len(staged),
            "faults": row["faults"] + len(faults),
            "steps": row["steps"] + 1,
            "tries": 0,
        }
        if not found.is_last:
            await repository.change(tx, IMPORT, row["id"], counts)
            self._look_ahead(row, counts["rows"])
            tx.after_commit(lambda: crash.point("import.staged"))
            return
        crash.point("import.before_verdict")
        await self._give_verdict(tx, row, counts, now)

    async def _give_verdict(self, tx: Transaction, row: Record, counts: dict[str, Any], now: datetime) -> None:
        verdict = REFUSED if not counts["valid"] else PARTLY if counts["refused"] else ACCEPTED
        stops = counts["refused"] and row["on_fault"] == OnFault.STOP
        counts["verdict"] = verdict
        if verdict == REFUSED or (stops and not row["dry_run"]):
            await self._imports.ended(tx, row, REFUSED, now, **counts)
        elif row["dry_run"]:
            await self._imports.ended(tx, row, CHECKED, now, **counts)
        else:
            await repository.change(tx, IMPORT, row["id"], {**counts, "state": APPLYING})

    async def _read(self, tx: Transaction, row: Record, now: datetime) -> Step:
        """The rows of the step. Raises: Lost"""
        import_id, passed = row["id"], row["rows"]
        ahead = self._ahead.pop((import_id, passed), None)
        try:
            return await (ahead or self._aside.call(reading.step, import_id, passed))
        except (Astray, Lost):
            task = Task(import_id, row["kind"], Mode(row["mode"]), now, self._imports.limits(now))
            content = b"".join([piece async for piece in self._vault.pieces(tx, row, FILE)])
            await self._aside.call(reading.begin, task, content, passed)
            return await self._aside.call(reading.step, import_id, passed)

    def _look_ahead(self, row: Record, passed: int) -> None:
        """Have the next rows read while these are stored."""
        for task in self._ahead.values():
            task.cancel()
        reading_on = asyncio.ensure_future(self._aside.call(reading.step, row["id"], passed))
        reading_on.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        self._ahead = {(row["id"], passed): reading_on}

    async def _judge(
        self, tx: Transaction, who: Principal, row: Record, lines: Sequence[Line], now: datetime
    ) -> tuple[list[list[Any]], list[CellFault]]:
        """What is to be stored, and all that is wrong with the other rows."""
        catalogue = self._dictionaries.catalogue(row["kind"], now)
        known = await self._bulk.known(tx, row["kind"], [line.key for line in lines if line.key is not None])
        judge = Judge(self._dictionaries, who, catalogue, Mode(row["mode"]), now)
        staged, faults = [], list[CellFault]()
        for line in lines:
            file = known.get(line.key or "")
            found = [*line.faults, *judge.faults(line, file)]
            faults += found
            if not found:
                place = [None, None] if file is None else [str(file["id"]), file["version"]]
                staged.append([line.number, *place, line.unit, line.values])
        return staged, faults

    async def _keep(self, tx: Transaction, row: Record, part: str, number: int, content: Any) -> None:
        key = WrappedKey(row["kek"], row["wrapped"])
        await self._vault.put_json(tx, row["id"], key, part, number, content)

    async def _apply(self, tx: Transaction, who: Principal, row: Record, now: datetime) -> None:
        number = row["steps_applied"]
        staged = await self._vault.document(tx, row, ROWS, number) or []
        new = [each for each in staged if each[1] is None]
        old = [each for each in staged if each[1] is not None]
        opened = await self._bulk.register(tx, who, row["kind"], [New(each[4], each[3]) for each in new], now)
        wanted = [Wanted(UUID(each[1]), each[2], each[4]) for each in old]
        changed = await self._bulk.change(tx, who, wanted, now)
        late = [fault for line, outcome in zip([*new, *old], [*opened, *changed], strict=True)
                for fault in _faults_of(line[0], outcome)]  # fmt: skip
        done = [outcome for outcome in (*opened, *changed) if isinstance(outcome, Done)]
        if late:
            known = await self._vault.document(tx, row, FAULTS, number) or []
            await self._keep(tx, row, FAULTS, number, [*known, *late])
        applied = sum(outcome.is_new for outcome in done)
        counts: dict[str, Any] = {
            "applied": row["applied"] + applied,
            "unchanged": row["unchanged"] + len(done) - applied,
            "valid": row["valid"] - len(staged) + len(done),
            "refused": row["refused"] + len(staged) - len(done),
            "faults": row["faults"] + len(late),
            "steps_applied": number + 1,
        }
        if number + 1 < row["steps"]:
            await repository.change(tx, IMPORT, row["id"], counts)
            tx.after_commit(lambda: crash.point("import.step_applied"))
        else:
            verdict = PARTLY if counts["refused"] else ACCEPTED
            await self._imports.ended(tx, row, APPLIED, now, **counts, verdict=verdict)


def _faults_of(number: int, outcome: Outcome) -> list[CellFault]:
    """What a refusal by the files themselves says of a row."""
    if isinstance(outcome, Done):
        return []
    if not outcome.faults:
        return [CellFault(number, None, outcome.code, None, outcome.detail)]
    return [
        CellFault(
            number, fault.pointer.rpartition("/")[2] or None, fault.code, _text(fault.seen), _text(fault.expected)
        )
        for fault in outcome.faults
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:200]
