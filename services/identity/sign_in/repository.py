"""All SQL of signing in: requests of apps, sessions, codes, refresh tokens."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.sign_in.ledger import Code, Refresh
from services.identity.sign_in.models import authorization_code, authorization_request, refresh_token
from services.identity.sign_in.models import seed as seed_table
from services.identity.sign_in.models import sign_in_session as table
from services.identity.sign_in.rules import Session, Stage
from shared.db import Record, Transaction

_SESSION = """
SELECT s.id, s.name, s.stage, s.method, s.agent, s.authenticated_at, s.seen_at, s.ends_at, s.ended_at,
  a.revoked_at, a.locked_at
FROM sign_in_session s JOIN account a USING (name)
"""
_HOLD = "SELECT 1 FROM account a JOIN sign_in_session s USING (name) WHERE s.id = $1 FOR NO KEY UPDATE OF a"
_ORIGIN = """
SELECT session FROM refresh_token WHERE mark = $1 UNION ALL SELECT session FROM authorization_code WHERE mark = $1
"""
_APPS = """
SELECT s.id, array_agg(DISTINCT r.client) FILTER (WHERE r.client IS NOT NULL) AS apps
FROM sign_in_session s LEFT JOIN refresh_token r ON r.session = s.id WHERE s.name = $1 GROUP BY s.id
"""


async def seed(tx: Transaction) -> Record | None:
    """The seed, once it was made."""
    return await tx.fetchrow(select(seed_table))


async def add_seed(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep it, unless another process was first."""
    await tx.execute(insert(seed_table).values(dict(row)).on_conflict_do_nothing())


async def change_seed(tx: Transaction, wrapped_by: str, **values: object) -> int:
    """Wrap it otherwise, if it still is wrapped by that key."""
    return await tx.execute(update(seed_table).where(seed_table.c.kek == wrapped_by).values(values))


async def ask(tx: Transaction, mark: bytes, query: str, asked_at: datetime, expires_at: datetime) -> None:
    """Keep what an app asked for."""
    row = {"mark": mark, "query": query, "asked_at": asked_at, "expires_at": expires_at}
    await tx.execute(insert(authorization_request).values(row))


async def asked(tx: Transaction, mark: bytes, now: datetime) -> Record | None:
    """What an app asked for, while it may still be granted."""
    kept = "SELECT query, asked_at FROM authorization_request WHERE mark = $1 AND expires_at > $2"
    return await tx.fetchrow(kept, mark, now)


async def answered(tx: Transaction, mark: bytes) -> None:
    """It was granted: the same request is not granted twice."""
    await tx.execute(delete(authorization_request).where(authorization_request.c.mark == mark))


def _session(row: Record | None) -> Session | None:
    return None if row is None else Session(**{**dict(row), "stage": Stage(row["stage"])})


async def begin(tx: Transaction, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(table).values(dict(row)))


async def by_mark(tx: Transaction, mark: bytes) -> Session | None:
    """The session of a cookie, ended ones too."""
    return _session(await tx.fetchrow(f"{_SESSION} WHERE s.mark = $1", mark))


async def by_id(tx: Transaction, session: UUID) -> Session | None:
    """The session called sid in tokens; nobody else ends it until this transaction does."""
    return _session(await tx.fetchrow(f"{_SESSION} WHERE s.id = $1 FOR UPDATE OF s", session))


async def origin(tx: Transaction, mark: bytes) -> UUID | None:
    """Which session gave a code or a refresh token."""
    found: UUID | None = await tx.fetchval(_ORIGIN, mark)
    return found


async def hold_account(tx: Transaction, session: UUID) -> None:
    """Let nobody change the account of a session until this transaction ends."""
    await tx.execute(_HOLD, session)


async def of_name(tx: Transaction, name: str) -> list[Session]:
    """All sessions of a person, newest first."""
    rows = await tx.fetch(f"{_SESSION} WHERE s.name = $1 ORDER BY s.authenticated_at DESC", name)
    return [each for row in rows if (each := _session(row)) is not None]


async def apps(tx: Transaction, name: str) -> dict[UUID, list[str]]:
    """Which apps got tokens in which of a person's sessions."""
    return {row["id"]: row["apps"] or [] for row in await tx.fetch(_APPS, name)}


async def change(tx: Transaction, session: UUID, **values: object) -> None:
    await tx.execute(update(table).where(table.c.id == session).values(values))


async def end(tx: Transaction, session: UUID, now: datetime) -> bool:
    """End it; False if it had ended before."""
    is_open = (table.c.id == session) & table.c.ended_at.is_(None)
    return bool(await tx.execute(update(table).where(is_open).values(ended_at=now)))


async def add_code(tx: Transaction, code: Code) -> None:
    await tx.execute(insert(authorization_code).values(asdict(code)))


async def code(tx: Transaction, mark: bytes) -> Record | None:
    """The code; nobody else uses it until this transaction ends."""
    return await tx.fetchrow("SELECT * FROM authorization_code WHERE mark = $1 FOR UPDATE", mark)


async def use_code(tx: Transaction, mark: bytes, now: datetime) -> None:
    await tx.execute(update(authorization_code).where(authorization_code.c.mark == mark).values(used_at=now))


async def add_refresh(tx: Transaction, given: Refresh) -> None:
    """Keep it; one that is given a second time, since the first answer was lost, is there already."""
    row = {name: value for name, value in asdict(given).items() if name != "may_repeat"}
    await tx.execute(insert(refresh_token).values(row).on_conflict_do_nothing())


async def refresh(tx: Transaction, mark: bytes) -> Record | None:
    """The refresh token; nobody else uses it until this transaction ends."""
    return await tx.fetchrow("SELECT * FROM refresh_token WHERE mark = $1 FOR UPDATE", mark)


async def use_refresh(tx: Transaction, mark: bytes, now: datetime) -> None:
    """Note its first use."""
    is_fresh = (refresh_token.c.mark == mark) & refresh_token.c.used_at.is_(None)
    await tx.execute(update(refresh_token).where(is_fresh).values(used_at=now))


async def drop_given(tx: Transaction, session: UUID) -> None:
    """Remove the codes and refresh tokens that a session gave."""
    for given in (authorization_code, refresh_token):
        await tx.execute(delete(given).where(given.c.session == session))


async def tidy(tx: Transaction, now: datetime, sessions_before: datetime) -> int:
    """Remove requests that came to nothing, and sessions that ended before a moment, with all that they gave."""
    requests = await tx.execute(delete(authorization_request).where(authorization_request.c.expires_at <= now))
    return requests + await tx.execute(delete(table).where(table.c.ends_at <= sessions_before))
