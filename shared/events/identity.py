"""Facts that the identity service publishes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event


class SignedIn(Event):
    """A person or a partner client got a token."""

    type: ClassVar[str] = "identity.signed_in"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    method: str


class SignInFailed(Event):
    """A sign-in was refused. `name` is given only if such a name exists, so that a password typed there is not kept.

    `attempts`: what costs whoever tries nothing (locked out, or a secret that nobody guesses) is told once a minute.
    """

    type: ClassVar[str] = "identity.sign_in_failed"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str | None
    method: str
    reason: str
    attempts: int = Field(1, ge=1)


class SigningKeyRotated(Event):
    """Tokens are signed with another key from now on; the old one stays published until its tokens have expired."""

    type: ClassVar[str] = "identity.signing_key_rotated"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    key_id: str


class SignedOut(Event):
    """A person ended a sign-in."""

    type: ClassVar[str] = "identity.signed_out"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    session: str


class PasswordChanged(Event):
    """A person's password is another one; `occasion`: own wish, rotation, invitation or change-over."""

    type: ClassVar[str] = "identity.password_changed"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    occasion: str


class SecondFactorChanged(Event):
    """A person's second factor was switched on or off."""

    type: ClassVar[str] = "identity.second_factor_changed"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    enabled: bool


class Invited(Event):
    """A person was given a one-time link to set a password with, which is good `until` a moment."""

    type: ClassVar[str] = "identity.invited"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    until: datetime


class LockChanged(Event):
    """An administrator closed an account to signing in, or opened it again."""

    type: ClassVar[str] = "identity.lock_changed"
    producers: ClassVar[tuple[str, ...]] = ("identity",)

    name: str
    locked: bool
