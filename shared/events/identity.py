"""Facts that the identity service publishes."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class SignedIn(Event):
    """A person or a partner client got a token."""

    type: ClassVar[str] = "identity.signed_in"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    method: str


class SignInFailed(Event):
    """A sign-in was refused. `name` is given only if such a name exists, so that a password typed there is not kept."""

    type: ClassVar[str] = "identity.sign_in_failed"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str | None
    method: str
    reason: str


class SigningKeyRotated(Event):
    """Tokens are signed with another key from now on; the old one stays published until its tokens have expired."""

    type: ClassVar[str] = "identity.signing_key_rotated"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    key_id: str
