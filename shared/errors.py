"""The suite's refusals, as one tree; every door renders them as RFC 9457 problem+json (shared.web) or a CLI message.

KehuError
├── Malformed             400  the request cannot be read
├── Unauthenticated       401  no usable bearer token
├── Forbidden             403  known, but not allowed
├── NotFound              404  no such thing, or its existence is not yours to know
├── Conflict              409  the state of the thing does not permit it
├── PreconditionFailed    412  somebody changed it meanwhile
├── TooLarge              413  body over the declared limit
├── UnsupportedMedia      415  a body of another type is expected
├── Invalid               422  readable, but some values are wrong: one Fault for each
├── PreconditionRequired  428  If-Match is missing
├── TooManyRequests       429  slow down
└── Unavailable           503  a part we need is away; nothing was changed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (JSON pointer), what kind, what was seen and what is expected."""

    pointer: str
    code: str
    seen: Any = None
    expected: Any = None

    def as_dict(self) -> dict[str, Any]:
        """The `errors[]` member of a problem document."""
        return {"pointer": self.pointer, "code": self.code, "seen": self.seen, "expected": self.expected}


@dataclass(eq=False)
class KehuError(Exception):
    """A refusal with a stable `code`; `detail` says what to do next and is shown to the caller."""

    code: str
    detail: str = ""
    faults: Sequence[Fault] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    status: ClassVar[int] = 500

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Malformed(KehuError):
    """The request cannot be read."""

    status = 400


class Unauthenticated(KehuError):
    """No usable bearer token."""

    status = 401


class Forbidden(KehuError):
    """Known caller, but not allowed."""

    status = 403


class NotFound(KehuError):
    """No such thing, or its existence is not the caller's to know."""

    status = 404


class Conflict(KehuError):
    """The state of the thing does not permit it."""

    status = 409


class PreconditionFailed(KehuError):
    """Somebody changed the same part meanwhile."""

    status = 412


class TooLarge(KehuError):
    """The body is over the declared limit."""

    status = 413


class UnsupportedMedia(KehuError):
    """A body of another media type is expected."""

    status = 415


class Invalid(KehuError):
    """Readable, but some values are wrong; one Fault for each."""

    status = 422


class PreconditionRequired(KehuError):
    """If-Match is missing."""

    status = 428


class TooManyRequests(KehuError):
    """The caller must slow down."""

    status = 429


class Unavailable(KehuError):
    """A part that we need is away; nothing was changed; the caller may try again."""

    status = 503


ALL: tuple[type[KehuError], ...] = (
    Malformed,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedMedia,
    Invalid,
    PreconditionRequired,
    TooManyRequests,
    Unavailable,
)
