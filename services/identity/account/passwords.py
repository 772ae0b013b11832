"""Hashing of passwords and client secrets: argon2id, in threads, a few at a time.

Used by accounts and clients. Never holds a database connection while it hashes.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 65_536
"""RFC 9106, second recommended option; one lane, since the slots already use the cores."""


class Passwords:
    """`slots` hashes run at once, each in a thread (argon2 lets go of the interpreter lock) and in 64 MiB."""

    def __init__(self, slots: int) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="argon2")
        self._nobody: str | None = None

    async def hash(self, secret: str) -> str:
        """A fresh hash in the encoded form, parameters and salt included."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, secret)

    async def verify(self, hashed: str | None, secret: str) -> bool:
        """Whether the secret fits; without a hash a hash of nobody's is tried, so that it takes the same time."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._fits, hashed, secret)

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than ours."""
        return self._hasher.check_needs_rehash(hashed)

    def _fits(self, hashed: str | None, secret: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash(os.urandom(32))
        try:
            return self._hasher.verify(hashed or self._nobody, secret) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
