"""Second factors: time-based codes of an authenticator (TOTP, RFC 6238), and codes for whoever lost it.

Called by sign-in and by routes. A code is good once: neither it nor an older one is taken again.
"""

from dataclasses import dataclass, field
from datetime import datetime

import pyotp

from services.identity.account import errors, repository, rules
from shared.auth.terms import terms_of
from shared.db import Record, Transaction
from shared.events import SecondFactorChanged
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes
from shared.sealing import KeyRing, WrappedKey

_CODE_GROUPS = 4
_BATCH = 100
_DRIFT = 1
"""Steps of 30 s by which an authenticator's clock may be off (RFC 6238 §5.2)."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is set up with; shown once."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class SecondFactors:
    """`issuer`: the name that an authenticator shows."""

    def __init__(self, outbox: Outbox, regimes: Regimes, ring: KeyRing, *, issuer: str) -> None:
        self._outbox = outbox
        self._regimes = regimes
        self._ring = ring
        self._issuer = issuer

    async def enrol(self, tx: Transaction, name: str, now: datetime) -> Enrolment:
        """A fresh secret for an authenticator; in force once a code of it was given. Raises: Conflict"""
        before = await repository.lock_factor(tx, name)
        if before is not None and before["confirmed_at"] is not None:
            raise errors.factor_stands()
        secret, factor_id = pyotp.random_base32(), new_id()
        subject = _subject(name)
        key = self._ring.new_key(subject)
        row = {
            "name": name,
            "id": factor_id,
            "kek": key.kek,
            "wrapped": key.wrapped,
            "sealed": self._ring.seal_bytes(key, subject, factor_id, secret.encode()),
            "made_at": now,
            "last_step": 0,
        }
        await repository.put_factor(tx, row)
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=self._issuer))

    async def confirm(self, tx: Transaction, name: str, code: str, now: datetime) -> list[str]:
        """Put it in force; the codes for emergencies, shown once. Raises: Conflict, Invalid (wrong_code)"""
        row = await repository.lock_factor(tx, name)
        if row is None:
            raise errors.no_factor()
        if row["confirmed_at"] is not None:
            raise errors.factor_stands()
        step = self._step_of(row, code, now)
        if step is None:
            raise errors.wrong_code()
        await repository.change_factor(tx, name, confirmed_at=now, last_step=step)
        codes = [rules.new_code(_CODE_GROUPS) for _ in range(terms_of(self._regimes, now).count("recovery_codes"))]
        await repository.put_codes(tx, name, [rules.mark_of_code(each) for each in codes])
        await self._publish(tx, name, now, f"staff/{name}", enabled=True)
        return codes

    async def accepts(self, tx: Transaction, name: str, code: str, now: datetime) -> bool:
        """Whether the code is good; it is thereby used."""
        row = await repository.lock_factor(tx, name)
        if row is None or row["confirmed_at"] is None:
            return False
        step = self._step_of(row, code, now)
        if step is not None:
            await repository.change_factor(tx, name, last_step=step)
            return True
        return await repository.use_code(tx, name, rules.mark_of_code(code), now)

    async def remove(self, tx: Transaction, name: str, now: datetime, *, actor: str) -> None:
        """Switch it off. Raises: Conflict (no_second_factor)"""
        row = await repository.lock_factor(tx, name)
        if row is None:
            raise errors.no_factor()
        await repository.remove_factor(tx, name)
        if row["confirmed_at"] is not None:
            await self._publish(tx, name, now, actor, enabled=False)

    async def rewrap_due(self, tx: Transaction, now: datetime) -> int:  # noqa: ARG002 - a job's signature
        """Wrap some keys anew after the key-encryption key was changed; how many. A job."""
        rows = await repository.factors_wrapped_otherwise(tx, self._ring.active, _BATCH)
        for row in rows:
            fresh = self._ring.rewrap(WrappedKey(row["kek"], row["wrapped"]), _subject(row["name"]))
            await repository.change_factor(tx, row["name"], kek=fresh.kek, wrapped=fresh.wrapped)
        return len(rows)

    def _step_of(self, row: Record, code: str, now: datetime) -> int | None:
        """The time step that a code is of, if it is a good one that was not used."""
        name, given = row["name"], code.strip().replace(" ", "")
        key = WrappedKey(row["kek"], row["wrapped"])
        secret = self._ring.open_bytes(key, _subject(name), row["id"], row["sealed"]).decode()
        totp = pyotp.TOTP(secret)
        present = totp.timecode(now)
        steps = range(present - _DRIFT, present + _DRIFT + 1)
        fitting = [step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), given)]
        return next((step for step in fitting if step > row["last_step"]), None)

    async def _publish(self, tx: Transaction, name: str, now: datetime, actor: str, *, enabled: bool) -> None:
        event = SecondFactorChanged(name=name, enabled=enabled)
        envelope = self._outbox.envelope(event, feature="account", subject=f"account/{name}", actor=actor, at=now)
        await self._outbox.add(tx, envelope, event)


def _subject(name: str) -> str:
    return f"second-factor/{name}"
