"""Checks the audit log's proofs from the outside: RFC 9162 and C2SP notes and tiles, written anew from their texts.

Shares no line with the service, so that both cannot be wrong in the same way.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def hash_of_leaf(leaf: bytes) -> bytes:
    """RFC 9162, 2.1.1: a leaf is hashed behind a zero byte."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def root_by_path(index: int, size: int, leaf_hash: bytes, path: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2: the root that an inclusion proof leads to; ValueError if it has the wrong length."""
    if index >= size:
        raise ValueError("no such leaf")
    node, last, found = index, size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            found = _hash_of_node(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = _hash_of_node(found, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return found


def checkpoint_of(note: str, signer: str, public: Ed25519PublicKey) -> tuple[int, bytes]:
    """Size and root of a signed note. Raises: ValueError (not signed by this one), InvalidSignature (changed)."""
    text, _, lines = note.partition("\n\n")
    for line in lines.splitlines():
        _, name, signature = line.split(" ")
        if name == signer:
            public.verify(base64.b64decode(signature)[4:], f"{text}\n".encode())
            _, size, root = text.split("\n")[:3]
            return int(size), base64.b64decode(root)
    raise ValueError(f"{signer} did not sign it")


def leaves_of(bundle: bytes) -> Iterator[bytes]:
    """The leaves of an entry bundle: each behind its length in two bytes."""
    while bundle:
        length = int.from_bytes(bundle[:2])
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]


def _hash_of_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
