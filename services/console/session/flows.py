"""Sign-ins that were begun: each travels sealed in a cookie of its browser, so that strangers fill no table of ours.

Only the browser that began one can finish it (login CSRF), within the declared term, and it takes the cookie along.
"""

import base64
import hashlib
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from authlib.common.security import generate_token

from services.console.session.rules import Flow
from shared.sealing import KeyRing, Unopenable, WrappedKey

_VERIFIER = 64
_STATE = 43


class Flows:
    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def begin(self, on: str, now: datetime, *, fresh: bool) -> Flow:
        """A new one, that leads on to an address of this site."""
        secrets = (generate_token(_STATE), generate_token(_STATE), generate_token(_VERIFIER))
        return Flow(*secrets, next=on, asked_at=int(now.timestamp()), fresh=fresh)

    def seal(self, flow: Flow) -> str:
        """As its cookie holds it."""
        subject, mark = _bound_to(flow.state)
        key = self._ring.new_key(subject)
        sealed = self._ring.seal(key, subject, mark, asdict(flow))
        return ".".join(map(_text, (key.kek.encode(), key.wrapped, sealed)))

    def open(self, cookie: str | None, state: str, term: timedelta, now: datetime) -> Flow | None:
        """The flow with this state, if this browser began it and did so within the term."""
        subject, mark = _bound_to(state)
        try:
            kek, wrapped, sealed = map(_bytes, (cookie or "").split("."))
            flow = Flow(**self._ring.open(WrappedKey(kek.decode(), wrapped), subject, mark, sealed))
        except (Unopenable, ValueError, TypeError):
            return None
        return flow if now.timestamp() < flow.asked_at + term.total_seconds() else None


def _bound_to(state: str) -> tuple[str, UUID]:
    """A cookie is of no use with another state."""
    digest = hashlib.sha256(state.encode("utf-8", "surrogatepass"))
    return f"flow/{digest.hexdigest()}", UUID(bytes=digest.digest()[:16])


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
