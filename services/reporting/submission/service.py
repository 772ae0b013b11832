"""Filing, checking and reading submissions. Doors call it with a transaction; it never commits."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from services.reporting.submission import errors, repository
from services.reporting.submission.filing import Examined, Examiner, Filing
from services.reporting.submission.judges import Judges
from services.reporting.submission.models import PAGE
from services.reporting.submission.record import Listed, View, listing_of, range_of, record_of, unstored
from services.reporting.submission.repository import Row, Series
from services.reporting.submission.rules import Figures, Judgement
from services.reporting.submission.vault import Part, Vault
from shared.auth import GENERAL, Principal, Sight, Subject
from shared.clock import day_of
from shared.db import Transaction
from shared.events import ClassifiedRead, RegimeRef, ReportSubmitted
from shared.ids import new_id, parse_id
from shared.outbox import Outbox
from shared.regime import Regimes, Report, Resource, Secrecy, highest

CREATE, READ = "submission.create", "submission.read"
REPORT = "report"
"""What keys of partner systems may be limited to, beside institutions."""
CHECKED_LISTED = 1_000
"""Findings that a dry run lists: it has no later pages."""

FIRST_EVENT = 1


class Submissions:
    """The use cases of submissions."""

    def __init__(self, outbox: Outbox, vault: Vault, judges: Judges, examiner: Examiner, regimes: Regimes) -> None:
        self._outbox = outbox
        self._regimes = regimes
        self._vault = vault
        self._judges = judges
        self._examiner = examiner

    async def examine(self, filing: Filing, who: Principal, at: datetime) -> Examined:
        """Read and judge a filing, outside of any transaction. Raises: Malformed, Invalid, Forbidden, Unavailable"""
        examined = await self._judges.examine(filing, day_of(at))
        if not who.scope(CREATE).reaches(examined.org):
            raise errors.out_of_reach(examined.org)
        if not who.is_allowed(REPORT, examined.report):
            raise errors.report_not_allowed(examined.report)
        return examined

    async def hold(self, tx: Transaction) -> None:
        """Keep a transaction that was begun before the examination (for its Idempotency-Key) open while that lasts."""
        await repository.hold(tx)

    async def check(self, tx: Transaction, examined: Examined, who: Principal) -> View:
        """The verdict that filing it now would get; nothing is stored."""
        judgement = await self._compared(tx, examined)
        record = unstored(record_of(examined, judgement))
        listing = listing_of(judgement)
        return View(
            record, _readable(record["groups"], listing[:CHECKED_LISTED], who.sight(CREATE, examined.org)), None
        )

    async def file(self, tx: Transaction, examined: Examined, who: Principal, at: datetime) -> tuple[View, bool]:
        """Store the submission and announce it; the same content again is the same submission. Second: whether new."""
        series = Series(examined.org, examined.report, examined.period)
        await repository.lock(tx, series)
        same = await repository.find_same(tx, series, examined.sha256, examined.definition.hash)
        if same is not None:
            return await self._view(tx, same, who, CREATE, at), False
        judgement = await self._compared(tx, examined)
        record = {
            **record_of(examined, judgement),
            "id": new_id(),
            "version": await repository.next_version(tx, series),
            "submitted_by": who.actor,
            "submitted_at": at,
        }
        listing = listing_of(judgement)
        await self._store(tx, record, examined.compressed, judgement.figures, listing)
        await self._announce(tx, record)
        first = _readable(record["groups"], listing[:PAGE], who.sight(CREATE, examined.org))
        return View(record, first, PAGE if len(listing) > PAGE else None), True

    async def _compared(self, tx: Transaction, examined: Examined) -> Judgement:
        """The judgement with its last phase, against what is accepted for the period before at this moment."""
        before = await repository.accepted_figures(tx, Series(examined.org, examined.report, examined.prior_period))
        prior: Figures | None = None
        if before is not None:
            opened = orjson.loads(self._vault.open(before, Part.FIGURES, before["figures"]))
            prior = {code: None if value is None else Decimal(value) for code, value in opened.items()}
        return self._examiner.judge(examined.report, examined.in_force_on).compare(examined.judgement, prior)

    async def _store(
        self, tx: Transaction, record: Mapping[str, Any], content: bytes, figures: Figures, listing: Sequence[Listed]
    ) -> None:
        submission_id = record["id"]
        key = self._vault.new_key(submission_id)
        plain = {code: None if value is None else format(value, "f") for code, value in figures.items()}
        sealed_figures = self._vault.seal(key, submission_id, Part.FIGURES, orjson.dumps(plain))
        pages = [
            self._vault.seal(
                key,
                submission_id,
                Part.FINDINGS,
                orjson.dumps([(each.group, each.row, each.key, each.seen) for each in listing[start : start + PAGE]]),
                start // PAGE,
            )
            for start in range(0, len(listing), PAGE)
        ]
        values = {**record, "kek": key.kek, "wrapped": key.wrapped, "figures": sealed_figures}
        await repository.add(tx, values, self._vault.seal(key, submission_id, Part.CONTENT, content), pages)

    async def _announce(self, tx: Transaction, record: Mapping[str, Any]) -> None:
        event = ReportSubmitted(
            submission_id=str(record["id"]),
            report=RegimeRef(**record["definition"]),
            period=record["period"],
            org=record["org"],
            version=record["version"],
            verdict=record["verdict"],
            rows=record["row_count"],
            findings=record["counts"],
            content_sha256=record["content_sha256"].hex(),
        )
        envelope = self._outbox.envelope(
            event,
            feature="submission",
            subject=f"submission/{record['id']}",
            actor=record["submitted_by"],
            sequence=FIRST_EVENT,
            at=record["submitted_at"],
        )
        await self._outbox.add(tx, envelope, event)

    async def get(self, tx: Transaction, submission_id: UUID, who: Principal, at: datetime) -> View:
        """A submission with its first findings. Raises: NotFound"""
        return await self._view(tx, await self._found(tx, submission_id, who), who, READ, at)

    async def findings(
        self, tx: Transaction, submission_id: UUID, who: Principal, at: datetime, *, rule: str | None, start: int,
        limit: int,
    ) -> View:  # fmt: skip
        """Listed findings from the `start`-th on, of one rule or all. Raises: NotFound, Invalid (no_such_rule)"""
        row = await self._found(tx, submission_id, who)
        begin, end = range_of(row["groups"], rule)
        if rule is not None and begin == end:
            raise errors.no_such_rule(rule)
        start = max(begin, start)
        return await self._page(tx, row, who, READ, at, start, min(end, start + limit), end)

    async def list(
        self, tx: Transaction, who: Principal, *, filters: Mapping[str, str], before: UUID | None, limit: int
    ) -> list[Row]:
        """Submissions within the caller's reach, newest first."""
        reach, reports = who.scope(READ), who.limits.get(REPORT)
        orgs = None if reach.everything else reach.units
        return await repository.newest_first(
            tx, orgs=orgs, reports=reports, filters=filters, before=before, limit=limit
        )

    async def subject(self, tx: Transaction, key: str, _now: datetime) -> Subject | None:
        """A submission as authority sees it, for explanations; its fields are the columns of the report as filed."""
        submission_id = parse_id(key)
        row = None if submission_id is None else await repository.get(tx, submission_id)
        if row is None:
            return None
        report = self._regimes.find(Report, row["report"], on=date.fromisoformat(row["definition"]["version"]))
        columns = report.columns if report is not None else ()
        return Subject(row["org"], fields={column.code: (column.secrecy, GENERAL) for column in columns})

    async def _found(self, tx: Transaction, submission_id: UUID, who: Principal) -> Row:
        row = await repository.get(tx, submission_id)
        if row is None or not who.scope(READ).reaches(row["org"]) or not who.is_allowed(REPORT, row["report"]):
            raise errors.no_submission()
        return row

    async def _view(self, tx: Transaction, row: Row, who: Principal, action: str, at: datetime) -> View:
        _, end = range_of(row["groups"], None)
        return await self._page(tx, row, who, action, at, 0, min(end, PAGE), end)

    async def _page(
        self, tx: Transaction, row: Row, who: Principal, action: str, at: datetime, start: int, stop: int, end: int
    ) -> View:
        """The listed findings [start, stop) of those up to `end`."""
        opened: list[Listed] = []
        if start < stop:
            first = start // PAGE
            for page in await repository.pages(tx, row["id"], first, (stop - 1) // PAGE):
                plain = orjson.loads(self._vault.open(row, Part.FINDINGS, page["sealed"], page["number"]))
                opened += [Listed(*each) for each in plain]
            opened = opened[start - first * PAGE : stop - first * PAGE]
        sight = who.sight(action, row["org"])
        listed = _readable(row["groups"], opened, sight)
        await self._note_read(tx, row, listed, who, sight, at)
        return View(row, listed, stop if stop < end else None)

    async def _note_read(
        self, tx: Transaction, row: Row, listed: Sequence[Listed], who: Principal, sight: Sight, at: datetime
    ) -> None:
        """Record that classified data left the service; whoever filed it learns nothing new, and is not recorded."""
        declared = self._regimes.get(Resource, "submission", on=day_of(at))
        groups = [row["groups"][number] for number in {each.group for each in listed if not each.withheld}]
        quoted = [group for group in groups if declared.records(Secrecy(group["secrecy"]))]
        if not quoted or who.actor == row["submitted_by"]:
            return
        items = tuple(sorted({group["field"] or group["rule"] for group in quoted}))
        levels = [Secrecy(group["secrecy"]) for group in quoted]
        purpose = sight.purpose((level, GENERAL) for level in levels)
        event = ClassifiedRead(items=items, level=highest(levels).value, purpose=purpose)
        subject = f"submission/{row['id']}"
        envelope = self._outbox.envelope(event, feature="access", subject=subject, actor=who.actor)
        await self._outbox.add(tx, envelope, event)


def _readable(groups: Sequence[Mapping[str, Any]], listed: Sequence[Listed], sight: Sight) -> list[Listed]:
    """The findings with what they quote taken out where the reader is not cleared for it."""
    cleared = [sight.shows(Secrecy(group["secrecy"])) for group in groups]
    return [each if cleared[each.group] else each._replace(key={}, seen=None, withheld=True) for each in listed]
