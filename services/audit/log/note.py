"""C2SP signed notes and tlog checkpoints with Ed25519, as stock tools read them (Go's sumdb/note, witnesses).

The checkpoint publisher signs with it; the verifier and `kehu audit witness` open notes with it. Signatures by
unknown keys are kept out of the answer, as the specification asks, so that witnesses and later algorithms can add
their lines. It never reads settings or files.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.log.tree import HASH_SIZE

_ED25519 = b"\x01"
_DASH = "\u2014"
_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(rf"{_DASH} (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+=*)")
_MOST_SIGNATURES = 100


class NoteError(ValueError):
    """The text is no signed note, or no trusted key vouches for it."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name, written `<name>+<key id in hex>+<base64>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        name, _, rest = text.partition("+")
        key_id, _, key = rest.partition("+")
        raw = _decoded(key)
        verifier = cls(name, raw[1:])
        if not _NAME.fullmatch(name) or raw[:1] != _ED25519 or len(raw) != 33 or verifier.key_id.hex() != key_id:
            raise NoteError("not an Ed25519 verifier key")
        return verifier

    def vouches(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name. `seed` is 32 secret bytes, kept out of `repr`."""

    name: str
    key: Ed25519PrivateKey

    @classmethod
    def of(cls, name: str, seed: bytes) -> "Signer":
        if not _NAME.fullmatch(name):
            raise ValueError("a key name holds neither spaces nor '+'")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        signature = self.verifier.key_id + self.key.sign(text.encode())
        return f"{_DASH} {self.name} {b64encode(signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that at least one trusted key signed; `signed_by` names those keys in the order of their lines."""

    text: str
    signed_by: tuple[Verifier, ...]


def sign(text: str, *signers: Signer) -> str:
    if not text.endswith("\n"):
        raise ValueError("the text of a note ends with a newline")
    return f"{text}\n" + "".join(signer.line(text) for signer in signers)


def open_note(message: str, trusted: Iterable[Verifier]) -> Note:
    """Check a signed note against the keys that the reader trusts.

    NoteError when it is malformed, when a trusted key's signature is wrong, or when no trusted key signed it.
    """
    text, gap, tail = message.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or len(lines) < 2 or lines.pop() or len(lines) > _MOST_SIGNATURES or _control(message):
        raise NoteError("not a signed note")
    text += "\n"
    keys = {(key.name, key.key_id): key for key in trusted}
    found: list[Verifier] = []
    for line in lines:
        match = _LINE.fullmatch(line)
        raw = _decoded(match["signature"]) if match else b""
        if match is None or len(raw) < 5:
            raise NoteError("malformed signature line")
        key = keys.get((match["name"], raw[:4]))
        if key is None or key in found:
            continue
        if not key.vouches(text.encode(), raw[4:]):
            raise NoteError(f"wrong signature by {key.name}")
        found.append(key)
    if not found:
        raise NoteError("not signed by a trusted key")
    return Note(text, tuple(found))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree that a log commits itself to: origin, number of leaves, root hash."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint body; extension lines are allowed and ignored."""
        origin, *rest = text.split("\n")
        if len(rest) < 3 or rest[-1] or not origin or not re.fullmatch(r"0|[1-9]\d{0,18}", rest[0], re.ASCII):
            raise NoteError("not a checkpoint")
        root = _decoded(rest[1])
        if len(root) != HASH_SIZE:
            raise NoteError("the checkpoint's root is no SHA-256 hash")
        return cls(origin, int(rest[0]), root)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64 as broken:
        raise NoteError("not base64") from broken


def _control(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)
