"""Holds the audit log to its word: a checkpoint kept here must be the beginning of every later one.

The kept file belongs outside the reach of whoever runs the log: without one, an owner of database and key can rewrite
history unseen. Called by `kehu audit witness`; trusts the log's public key and nothing that the log says.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from kehu.data import write_private
from kehu.failure import SuiteFailed
from services.audit.log.note import Checkpoint, NoteError, Verifier, open_note
from services.audit.log.tree import extends

Prove = Callable[[int, int], Sequence[bytes]]
"""Consistency path between two sizes, as the log gives it."""


class Contradiction(SuiteFailed):
    """The log broke its word; both checkpoints together prove that to anybody."""


def observe(keep: Path, note: str, verifiers: Sequence[Verifier], prove: Prove) -> Checkpoint:
    """Accept `note` and put it in the place of the kept one, or raise `Contradiction` and keep the old one."""
    new = _opened(note, verifiers, "the log's newest checkpoint")
    if keep.exists():
        old = _opened(keep.read_text(encoding="utf-8"), verifiers, str(keep))
        _must_extend(old, new, prove)
    write_private(keep, note)
    return new


def _must_extend(old: Checkpoint, new: Checkpoint, prove: Prove) -> None:
    if new.origin != old.origin:
        raise Contradiction(f"Another log: {new.origin} instead of {old.origin}.")
    if new.size < old.size:
        raise Contradiction(f"The log was cut off: {old.size} entries were signed for, {new.size} are left.")
    path = prove(old.size, new.size) if 0 < old.size < new.size else ()
    if not extends(old.root, old.size, new.root, new.size, path):
        raise Contradiction(f"The log was rewritten: its first {old.size} entries are not those signed for earlier.")


def _opened(note: str, verifiers: Sequence[Verifier], which: str) -> Checkpoint:
    try:
        return Checkpoint.parse(open_note(note, verifiers).text)
    except NoteError as problem:
        raise Contradiction(f"{which} does not hold: {problem}.") from None
