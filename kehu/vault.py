"""Secrets of one suite: made at the first start, one file each, the same ever after.

Called by the plan, which hands them to the services, and by `kehu token`. A lost key-encryption key makes sealed
values unreadable for good, so files are never replaced.
"""

import secrets
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from kehu.data import write_private


class Vault:
    """The files of `directory`; a secret is made when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def key(self, name: str) -> SecretStr:
        """32 random bytes in base64."""
        return self._kept(name, lambda: b64encode(secrets.token_bytes(32)).decode())

    def password(self, name: str) -> SecretStr:
        """What the sample sign-in `name` types: of three kinds of characters, as passwords have to be."""
        return self._kept(f"sign-in-{name}", lambda: f"A-{secrets.token_hex(12)}")

    def _kept(self, name: str, make: Callable[[], str]) -> SecretStr:
        path = self._directory / name
        if not path.exists():
            write_private(path, make())
        return SecretStr(path.read_text())
