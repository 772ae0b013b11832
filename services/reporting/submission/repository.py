"""All SQL about submissions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, true, update
from sqlalchemy.sql import ColumnElement

from services.reporting.submission.finding import Verdict
from services.reporting.submission.models import content, finding_page, submission
from shared.db import Transaction, advisory_key
from shared.sealing import WrappedKey

Row = Mapping[str, Any]
S = submission.c
_PLAIN = [column for column in submission.c if column.name not in {"kek", "wrapped", "figures"}]
_ACCEPTED = (Verdict.ACCEPTED.value, Verdict.ACCEPTED_WITH_QUERIES.value)


@dataclass(frozen=True, slots=True)
class Series:
    """The submissions of one institution for one report and period: versions of the same thing."""

    org: str
    report: str
    period: str


async def hold(tx: Transaction) -> None:
    """Let the transaction wait for a judgement longer than an idle one may otherwise be kept."""
    await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")


async def lock(tx: Transaction, series: Series) -> None:
    """Until the transaction ends, nobody else files for this institution, report and period."""
    name = f"series:{series.org}/{series.report}/{series.period}"
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key(name))


async def _first(tx: Transaction, statement: Select[Any]) -> Row | None:
    row = await tx.fetchrow(statement)
    return None if row is None else dict(row)


async def _all(tx: Transaction, statement: Select[Any]) -> list[Row]:
    return [dict(row) for row in await tx.fetch(statement)]


def _of(series: Series) -> ColumnElement[bool]:
    return (S.org == series.org) & (S.report == series.report) & (S.period == series.period)


async def find_same(tx: Transaction, series: Series, sha256: bytes, definition_hash: str) -> Row | None:
    """The submission of this very content, judged by this very definition."""
    same = (S.content_sha256 == sha256) & (S.definition["hash"].astext == definition_hash)
    return await _first(tx, select(submission).where(_of(series), same))


async def next_version(tx: Transaction, series: Series) -> int:
    """The version of what is filed next; call it under `lock`."""
    newest = await tx.fetchval(select(func.coalesce(func.max(S.version), 0)).where(_of(series)))
    return int(newest) + 1


async def accepted_figures(tx: Transaction, series: Series) -> Row | None:
    """id, kek, wrapped and sealed figures of the last accepted version, unless its key is destroyed."""
    wanted = select(S.id, S.kek, S.wrapped, S.figures).where(_of(series), S.verdict.in_(_ACCEPTED), S.kek.is_not(None))
    return await _first(tx, wanted.order_by(S.version.desc()).limit(1))


async def add(tx: Transaction, values: Mapping[str, Any], sealed: bytes, pages: Sequence[bytes]) -> None:
    """Store a submission, what was sent, and its pages of findings."""
    await tx.execute(insert(submission).values(**values))
    await tx.execute(insert(content).values(submission_id=values["id"], sealed=sealed))
    rows = [(values["id"], number, page) for number, page in enumerate(pages)]
    if rows:
        await tx.copy(finding_page.name, [column.name for column in finding_page.c], rows)


async def get(tx: Transaction, submission_id: UUID) -> Row | None:
    """One submission with its key."""
    return await _first(tx, select(submission).where(S.id == submission_id))


async def newest_first(
    tx: Transaction,
    *,
    orgs: frozenset[str] | None,
    reports: frozenset[str] | None,
    filters: Mapping[str, str],
    before: UUID | None,
    limit: int,
) -> list[Row]:
    """Submissions without what is sealed. `orgs`, `reports`: None means all; `filters`: values by column."""
    wanted: Select[Any] = select(*_PLAIN).where(true() if orgs is None else S.org.in_(orgs))
    if reports is not None:
        wanted = wanted.where(S.report.in_(reports))
    for name, value in filters.items():
        wanted = wanted.where(S[name] == value)
    if before is not None:
        wanted = wanted.where(S.id < before)
    return await _all(tx, wanted.order_by(S.id.desc()).limit(limit))


async def pages(tx: Transaction, submission_id: UUID, first: int, last: int) -> list[Row]:
    """Sealed pages of findings, `first` and `last` included."""
    page = finding_page.c
    chosen = (page.submission_id == submission_id) & page.number.between(first, last)
    return await _all(tx, select(page.number, page.sealed).where(chosen).order_by(page.number))


async def lock_old_keys(tx: Transaction, active: str, limit: int) -> list[Row]:
    """id, kek and wrapped of some submissions whose key is not wrapped by the active key-encryption key."""
    old = select(S.id, S.kek, S.wrapped).where(S.kek != active)
    return await _all(tx, old.order_by(S.kek, S.id).limit(limit).with_for_update(skip_locked=True))


async def set_key(tx: Transaction, submission_id: UUID, key: WrappedKey) -> None:
    """Store a submission's data key as it is wrapped now."""
    await tx.execute(update(submission).where(S.id == submission_id).values(kek=key.kek, wrapped=key.wrapped))
