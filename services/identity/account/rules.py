"""What a password must be, when guessing must wait, and what is counted. Pure; figures and moments are arguments."""

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Fault

_LONGEST = 256
_CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


class Reason(StrEnum):
    """Why a sign-in was refused; for the audit log, never for the caller."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_SECRET = "wrong_secret"  # noqa: S105
    WRONG_CODE = "wrong_code"
    INACTIVE = "inactive"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Account:
    """How a person proves who they are. `revoked_at`: sign-ins from before are over."""

    name: str
    secret_hash: str | None = field(repr=False)
    set_at: datetime
    locked_at: datetime | None
    revoked_at: datetime | None
    has_second_factor: bool

    @property
    def rests_on_password(self) -> bool:
        """Whether a password is all that proves who they are, so that whoever sets another one is them."""
        return self.secret_hash is not None and not self.has_second_factor

    def is_due(self, rotation: timedelta, now: datetime) -> bool:
        """Whether the password must be changed before anything else."""
        return now >= self.set_at + rotation


@dataclass(frozen=True, slots=True)
class Policy:
    """What a new password must be: at least so long, of so many kinds of characters, none of the last so many."""

    length: int
    classes: int
    history: int


def faults_of(password: str, name: str, policy: Policy) -> list[Fault]:
    """Everything that is wrong with a new password; what was seen is never repeated."""
    faults = []
    if not policy.length <= len(password) <= _LONGEST:
        faults.append(Fault("/new_password", "password_length", None, f"{policy.length} to {_LONGEST} characters"))
    if len(set(map(_class_of, password))) < policy.classes:
        expected = f"{policy.classes} of: capitals, small letters, digits, other characters"
        faults.append(Fault("/new_password", "password_classes", None, expected))
    if name.casefold() in password.casefold():
        faults.append(Fault("/new_password", "password_holds_name", None, "a password without the name"))
    if not password.isprintable() or password != password.strip():
        faults.append(
            Fault("/new_password", "password_characters", None, "no control characters, no blanks at the ends")
        )
    return faults


def _class_of(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isupper():
        return "capital"
    return "small" if character.islower() else "other"


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, how long one waits at first and at most, and when all is forgotten.

    `put_off`: that long after the last failure, else after the first: an address that many people share is never
    without one for long.
    """

    free_failures: int
    first: timedelta
    longest: timedelta
    forgotten_after: timedelta
    put_off: bool = True

    def locked_until(self, failures: int, failed_at: datetime) -> datetime | None:
        """The end of the wait after so many failures; it doubles with each beyond the free ones."""
        if failures < self.free_failures:
            return None
        doublings = min(failures - self.free_failures, 20)  # more would leave timedelta's range
        return failed_at + min(self.first * (1 << doublings), self.longest)


def mark_of_name(key: bytes, name: str) -> bytes:
    """What a name is counted under, whether or not it exists; people type passwords there by mistake."""
    return hmac.digest(key, b"name\0" + name.encode("utf-8", "surrogatepass"), hashlib.sha256)


def mark_of_address(key: bytes, address: str) -> bytes:
    """What a network address is counted under; an IPv6 caller owns a whole /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return hmac.digest(key, b"address\0" + address.encode(), hashlib.sha256)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix = 64 if parsed.version == 6 else 32
    network = ipaddress.ip_network((parsed, prefix), strict=False)
    return hmac.digest(key, b"address\0" + str(network).encode(), hashlib.sha256)


def mark_of_code(code: str) -> bytes:
    """What an invitation or a recovery code is found by; itself it is not kept."""
    return hashlib.sha256(code.strip().lower().replace("-", "").encode("utf-8", "surrogatepass")).digest()


def new_code(groups: int) -> str:
    """A one-time code, easy to read out: groups of four letters and digits, 19 bits each."""
    return "-".join("".join(secrets.choice(_CODE_LETTERS) for _ in range(4)) for _ in range(groups))
