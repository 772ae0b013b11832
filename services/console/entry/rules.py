"""What a search form asks for, and whether a proof holds. Pure."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from shared.clock import CHINA

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Search:
    """The fields of the form; days are whole days of the Chinese calendar, both included."""

    subject: str | None = None
    type: str | None = None
    actor: str | None = None
    since: date | None = None
    until: date | None = None

    @property
    def live(self) -> dict[str, str | None]:
        """The part that also filters the live stream."""
        return {"subject": self.subject, "type": self.type, "actor": self.actor}

    @property
    def query(self) -> dict[str, Any]:
        """As the audit service takes it."""
        after = self.until + timedelta(days=1) if self.until and self.until < date.max else None
        return {**self.live, "from": _midnight(self.since), "to": _midnight(after)}

    @property
    def fields(self) -> dict[str, Any]:
        """As the form sends it."""
        return {**self.live, "since": self.since, "until": self.until}


def _midnight(day: date | None) -> str | None:
    return None if day is None else datetime.combine(day, time(), CHINA).isoformat()


def tidy(given: str | None) -> str | None:
    """A text field without blanks around it; None if nothing is left."""
    return (given or "").strip()[:512] or None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a signed checkpoint commits to. Its signature is for witnesses to check, who hold the log's key."""

    origin: str
    size: int
    root: str


def read_checkpoint(note: str) -> Checkpoint | None:
    """The first three lines of a C2SP checkpoint: origin, size, root in base64."""
    origin, _, rest = note.partition("\n")
    size, _, rest = rest.partition("\n")
    try:
        root = b64decode(rest.partition("\n")[0], validate=True)
    except NotBase64:
        return None
    known = origin and size.isascii() and size.isdigit() and len(size) < 20 and len(root) == 32
    return Checkpoint(origin, int(size), root.hex()) if known else None


def proves(proof: Mapping[str, Any], index: int, leaf_hash: str) -> bool:
    """Whether an audit path leads from this very leaf to the root that the proof names (RFC 9162 §2.1.3.2)."""
    size, path, root = proof.get("size"), proof.get("path"), proof.get("root")
    hashes = [leaf_hash, root, *(path if isinstance(path, list) else [None])]
    if not isinstance(size, int) or not 0 <= index < size:
        return False
    if proof.get("leaf_hash") != leaf_hash or not all(
        isinstance(each, str) and _HASH.fullmatch(each) for each in hashes
    ):
        return False
    seen, expected, *siblings = map(bytes.fromhex, hashes)
    node, last = index, size - 1
    for sibling in siblings:
        if last == 0:
            return False
        if node & 1 or node == last:
            seen = sha256(b"\x01" + sibling + seen).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            seen = sha256(b"\x01" + seen + sibling).digest()
        node, last = node >> 1, last >> 1
    return last == 0 and seen == expected
