"""A second factor: set up, confirmed, used once a code, lost, switched off. The moment is an argument."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from services.identity.account.second_factor import SecondFactors
from shared.db import Transaction
from shared.errors import Conflict, Invalid
from shared.sealing import KeyRing
from tests.factories.identity import KEK, RunningIdentity

pytestmark = pytest.mark.req("R4.5")
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture
def factors(identity: RunningIdentity) -> SecondFactors:
    parts, settings = identity.parts, identity.settings
    return SecondFactors(parts.outbox, parts.regimes, settings.key_ring, issuer="Kehu")


@pytest.fixture
async def tx(identity: RunningIdentity) -> AsyncIterator[Transaction]:
    async with identity.database.transaction() as tx:
        yield tx


async def switched_on(factors: SecondFactors, tx: Transaction) -> tuple[pyotp.TOTP, list[str]]:
    totp = pyotp.TOTP((await factors.enrol(tx, "staff", AT)).secret)
    return totp, await factors.confirm(tx, "staff", totp.at(AT), AT)


async def test_it_is_not_asked_for_before_it_was_confirmed(factors: SecondFactors, tx: Transaction) -> None:
    enrolment = await factors.enrol(tx, "staff", AT)
    assert enrolment.address.startswith("otpauth://totp/Kehu:staff?secret=")
    totp = pyotp.TOTP(enrolment.secret)
    assert not await factors.accepts(tx, "staff", totp.at(AT), AT)
    with pytest.raises(Invalid):
        await factors.confirm(tx, "staff", totp.at(AT - 10 * STEP), AT)
    assert len(await factors.confirm(tx, "staff", totp.at(AT), AT)) == 10


async def test_a_clock_may_be_off_by_one_step_and_no_more(factors: SecondFactors, tx: Transaction) -> None:
    totp, _ = await switched_on(factors, tx)
    later = AT + 10 * STEP
    for off, good in ((-2, False), (2, False), (-1, True), (0, True), (1, True)):
        assert await factors.accepts(tx, "staff", totp.at(later + off * STEP), later) is good, off


async def test_neither_a_used_code_nor_an_older_one_is_taken(factors: SecondFactors, tx: Transaction) -> None:
    totp, _ = await switched_on(factors, tx)
    assert not await factors.accepts(tx, "staff", totp.at(AT), AT)
    later = AT + 10 * STEP
    assert await factors.accepts(tx, "staff", f" {totp.at(later)[:3]} {totp.at(later)[3:]} ", later)
    for code in (totp.at(later), totp.at(later - STEP)):
        assert not await factors.accepts(tx, "staff", code, later + timedelta(seconds=1))
    assert await factors.accepts(tx, "staff", totp.at(later + STEP), later + STEP)


async def test_a_recovery_code_is_good_once(factors: SecondFactors, tx: Transaction) -> None:
    _, codes = await switched_on(factors, tx)
    assert await factors.accepts(tx, "staff", codes[3].upper(), AT)
    assert not await factors.accepts(tx, "staff", codes[3], AT)
    assert await factors.accepts(tx, "staff", codes[4], AT)


@pytest.mark.parametrize("code", ["", "x", "000000", "１２３４５６", "0" * 40, "名" * 6, "\0"])
async def test_anything_else_is_no_code(factors: SecondFactors, tx: Transaction, code: str) -> None:
    await switched_on(factors, tx)
    assert not await factors.accepts(tx, "staff", code, AT)


async def test_there_is_one_at_a_time(factors: SecondFactors, tx: Transaction) -> None:
    await factors.enrol(tx, "staff", AT)
    totp, _ = await switched_on(factors, tx)
    with pytest.raises(Conflict, match="second_factor_stands"):
        await factors.enrol(tx, "staff", AT)
    with pytest.raises(Conflict, match="second_factor_stands"):
        await factors.confirm(tx, "staff", totp.at(AT), AT)
    await factors.remove(tx, "staff", AT, actor="staff/staff")
    with pytest.raises(Conflict, match="no_second_factor"):
        await factors.remove(tx, "staff", AT, actor="staff/staff")
    assert await tx.fetchval("SELECT count(*) FROM recovery_code") == 0


async def test_nothing_of_it_is_stored_in_clear(factors: SecondFactors, tx: Transaction) -> None:
    totp, codes = await switched_on(factors, tx)
    rows = [*await tx.fetch("SELECT * FROM second_factor"), *await tx.fetch("SELECT * FROM recovery_code")]
    events = await tx.fetch("SELECT value FROM outbox")
    stored = b"".join(value for row in [*rows, *events] for value in row.values() if isinstance(value, bytes))
    assert totp.secret.encode() not in stored
    assert not any(code.encode() in stored for code in codes)


async def test_it_outlives_a_change_of_the_key_encryption_key(
    identity: RunningIdentity, factors: SecondFactors, tx: Transaction
) -> None:
    totp, _ = await switched_on(factors, tx)
    fresh = base64.b64encode(b"identity test key number two 32!").decode()
    both, alone = (KeyRing.parse(text) for text in (f"k2:{fresh},{KEK}", f"k2:{fresh}"))
    parts = identity.parts
    during = SecondFactors(parts.outbox, parts.regimes, both, issuer="Kehu")
    assert [await during.rewrap_due(tx, AT) for _ in range(2)] == [1, 0]
    after = SecondFactors(parts.outbox, parts.regimes, alone, issuer="Kehu")
    later = AT + 10 * STEP
    assert await after.accepts(tx, "staff", totp.at(later), later)
