"""Slows guessing down, whatever is guessed: passwords, secrets of clients, codes of authenticators.

Called by sign-in before and after each proof, one for people and one for programs. Counts by name (existing or not)
and by network address; neither is kept in clear. Two processes may let one attempt more through than one would: a lock
is read before the proof.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from weakref import WeakValueDictionary

from services.identity.account import errors, repository, rules
from services.identity.account.rules import Patience
from shared.auth.terms import terms_of
from shared.db import Transaction
from shared.regime import Regimes


class Guard:
    """`key` gives what hides names and addresses; `queue`: how many may prove themselves at once in this process."""

    def __init__(self, regimes: Regimes, key: Callable[[], bytes], *, queue: int) -> None:
        self._regimes = regimes
        self._key = key
        self._queue = queue
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._under_way = 0

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """One attempt at a time for each name, so that parallel guesses count one by one; not too many in all.

        Raises: TooManyRequests (sign_in_busy)
        """
        if self._under_way >= self._queue:
            raise errors.busy()
        turn = self._turns.setdefault(rules.mark_of_name(self._key(), name), asyncio.Lock())
        self._under_way += 1
        try:
            async with turn:
                yield
        finally:
            self._under_way -= 1

    async def wait_of(self, tx: Transaction, name: str, address: str, now: datetime) -> int:
        """Seconds that this name or this address must wait; 0 if it need not."""
        until = await repository.locked_until(tx, list(self._patience(name, address, now)))
        return 0 if until is None or until <= now else math.ceil((until - now).total_seconds())

    async def failed(self, tx: Transaction, name: str, address: str, now: datetime) -> None:
        """One failure more."""
        for mark, limits in self._patience(name, address, now).items():
            forgotten_at = now + limits.forgotten_after
            count = await repository.count_failure(tx, mark, now, forgotten_at, put_off=limits.put_off)
            await repository.lock_out(tx, mark, limits.locked_until(count, now))

    async def passed(self, tx: Transaction, name: str) -> None:
        """The name has proven itself; what its address did is not forgotten."""
        await repository.forget_failures(tx, rules.mark_of_name(self._key(), name))

    def _patience(self, name: str, address: str, now: datetime) -> dict[bytes, Patience]:
        terms, key = terms_of(self._regimes, now), self._key()
        waits = (terms.term("lock_first"), terms.term("lock_longest"), terms.term("failures_forgotten"))
        return {
            rules.mark_of_name(key, name): Patience(terms.count("free_failures_of_name"), *waits),
            rules.mark_of_address(key, address): Patience(
                terms.count("free_failures_of_address"), *waits, put_off=False
            ),
        }

    async def forget_old(self, tx: Transaction, now: datetime) -> int:
        """Drop counts that would start afresh anyway; how many. A job."""
        return await repository.forget_old_failures(tx, now)
