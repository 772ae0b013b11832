"""Personal values travel sealed: AES-256-GCM under a data key per subject, itself wrapped by a key-encryption key.

The owner of a subject keeps its keys (table `subject_key` in the owner's database) and alone opens values. Destroying a
subject's key erases its values in every topic, log and backup without touching a single entry (R15.1).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_KEY = 32


class Unopenable(ValueError):
    """These bytes cannot be opened with this key: destroyed, of another subject, or changed."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A subject's data key as stored: useless without the key-encryption key named `kek`."""

    kek: str
    wrapped: bytes


class KeyRing:
    """The key-encryption keys from settings: the first one wraps, all can unwrap (rotation)."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) != _KEY for key in keys.values()):
            raise ValueError("the key ring needs at least one key of 32 bytes")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._raw = dict(keys)
        self.active = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """From the settings' form `name:base64[,name:base64…]`, the active one first."""
        pairs = (part.strip().partition(":") for part in text.split(",") if part.strip())
        return cls({name: base64.b64decode(value, validate=True) for name, _, value in pairs})

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A key of 32 bytes for another purpose from each key of the ring, the active one's first."""
        active = {self.active: self._raw[self.active]}
        return tuple(hmac.digest(key, purpose.encode(), hashlib.sha256) for key in (active | self._raw).values())

    def new_key(self, subject: str) -> WrappedKey:
        """A fresh data key for a subject."""
        return self._wrap(os.urandom(_KEY), subject)

    def _wrap(self, key: bytes, subject: str) -> WrappedKey:
        nonce = os.urandom(_NONCE)
        return WrappedKey(self.active, nonce + self._keys[self.active].encrypt(nonce, key, subject.encode()))

    def rewrap(self, key: WrappedKey, subject: str) -> WrappedKey:
        """The same data key under the active key-encryption key."""
        return self._wrap(self._unwrap(key, subject), subject)

    def _unwrap(self, key: WrappedKey, subject: str) -> bytes:
        try:
            return self._keys[key.kek].decrypt(key.wrapped[:_NONCE], key.wrapped[_NONCE:], subject.encode())
        except KeyError:
            raise Unopenable(f"the key ring has no key named {key.kek}") from None
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise Unopenable("the wrapped key does not belong to this subject or was changed") from None

    def seal(self, key: WrappedKey, subject: str, event_id: UUID, values: Any) -> bytes:
        """Encrypt JSON `values` for one event; the event id is bound in, so that they cannot be moved to another."""
        return self.seal_bytes(key, subject, event_id, orjson.dumps(values))

    def seal_bytes(self, key: WrappedKey, subject: str, event_id: UUID, content: bytes) -> bytes:
        """The same for content that is not JSON."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._unwrap(key, subject)).encrypt(nonce, content, event_id.bytes)

    def open(self, key: WrappedKey, subject: str, event_id: UUID, sealed: bytes) -> Any:
        """The inverse of `seal`; Unopenable if key, subject, event or bytes do not belong together."""
        return orjson.loads(self.open_bytes(key, subject, event_id, sealed))

    def open_bytes(self, key: WrappedKey, subject: str, event_id: UUID, sealed: bytes) -> bytes:
        """The inverse of `seal_bytes`, with the same refusal."""
        cipher = AESGCM(self._unwrap(key, subject))
        try:
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], event_id.bytes)
        except (InvalidTag, ValueError):
            raise Unopenable("the values do not belong to this subject and event, or were changed") from None


def to_text(sealed: bytes) -> str:
    """Sealed bytes as they stand in an event."""
    return base64.b64encode(sealed).decode()


def from_text(text: str) -> bytes:
    """The inverse of `to_text`; Unopenable if it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Unopenable("not base64") from None
