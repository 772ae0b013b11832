"""A witness accepts growth and nothing else."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from kehu.witness import Contradiction, observe
from services.audit.log.note import Checkpoint, Signer, sign
from services.audit.log.tree import Frontier, append, consistency_ranges, leaf_hash

SIGNER = Signer.of("log.example", b"s" * 32)


def _root(leaves: Sequence[bytes]) -> bytes:
    return append(Frontier(0, ()), [leaf_hash(leaf) for leaf in leaves])[0].root


def _note(leaves: Sequence[bytes], signer: Signer = SIGNER, origin: str = "log.example") -> str:
    return sign(str(Checkpoint(origin, len(leaves), _root(leaves))), signer)


def _prover(leaves: Sequence[bytes]):
    return lambda old, new: [_root(leaves[first:last]) for first, last in consistency_ranges(old, new)]


LEAVES = [b"entry %d" % number for number in range(11)]


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    """A kept checkpoint of the first seven entries."""
    path = tmp_path / "kept"
    observe(path, _note(LEAVES[:7]), [SIGNER.verifier], _prover(LEAVES))
    return path


def test_the_first_checkpoint_is_kept_privately(keep: Path) -> None:
    assert keep.read_text() == _note(LEAVES[:7])
    assert stat.S_IMODE(keep.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [7, 8, 11])
def test_growth_is_accepted_and_kept(keep: Path, size: int) -> None:
    assert observe(keep, _note(LEAVES[:size]), [SIGNER.verifier], _prover(LEAVES)).size == size
    assert keep.read_text() == _note(LEAVES[:size])


CHANGED = [b"forged", *LEAVES[1:]]


@pytest.mark.parametrize(
    ("note", "prover", "says"),
    [
        (_note(LEAVES[:6]), _prover(LEAVES), "cut off"),
        (_note(CHANGED), _prover(CHANGED), "rewritten"),
        (_note(CHANGED[:7]), _prover(CHANGED), "rewritten"),
        (_note(LEAVES), _prover(CHANGED), "rewritten"),
        (_note(LEAVES, origin="other.example"), _prover(LEAVES), "Another log"),
        (_note(LEAVES, Signer.of("log.example", b"t" * 32)), _prover(LEAVES), "does not hold"),
        ("nonsense", _prover(LEAVES), "does not hold"),
    ],
    ids=["truncated", "rewritten", "same size", "false proof", "other log", "other key", "no note"],
)
def test_a_contradiction_is_named_and_the_kept_checkpoint_stays(keep: Path, note: str, prover, says: str) -> None:
    with pytest.raises(Contradiction, match=says):
        observe(keep, note, [SIGNER.verifier], prover)
    assert keep.read_text() == _note(LEAVES[:7])
