"""What one OAuth request may need, loaded beforehand, and what it brings about, to be written afterwards.

Between the two stands Authlib, which neither waits nor asks the database (`grants`). A Ledger lives for one request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.identity.account.people import Person
from services.identity.client.rules import Client
from services.identity.sign_in.rules import Session
from services.identity.signing_key.service import Signer


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues, for whom, and for how long an access token is good."""

    url: str
    audience: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with the session in which they act."""

    person: Person
    session: Session

    def get_user_id(self) -> str:
        """Authlib's name for the subject."""
        return self.person.name


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code as it was given."""

    mark: bytes = field(repr=False)
    client: str
    session: UUID
    redirect_uri: str
    scope: str
    nonce: str | None
    challenge: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token as it was given. `may_repeat`: it was used a moment ago and its successor was not."""

    mark: bytes = field(repr=False)
    client: str
    session: UUID
    scope: str
    issued_at: datetime
    used_at: datetime | None = None
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A token that somebody asks about or takes back. `active`: in force at this moment."""

    client: str
    active: bool
    claims: Mapping[str, Any]
    session: UUID | None = None


@dataclass
class Ledger:
    """`proven`: the secret that the client of the request was found to hold. The second half is what came of it."""

    issuer: Issuer
    now: datetime
    clients: Mapping[str, Client] = field(default_factory=dict)
    proven: str | None = field(default=None, repr=False)
    holder: Holder | None = None
    signer: Signer | None = None
    code: Code | None = None
    refresh: Refresh | None = None
    next_refresh: str = field(default="", repr=False)
    token: Token | None = None
    code_ends_at: datetime | None = None
    keys: Any = None

    gave_code: Code | None = None
    gave_refresh: Refresh | None = None
    gave_access_to: str | None = None
    used_code: bool = False
    used_refresh: bool = False
    replayed: UUID | None = None
    took_back: Token | None = None
