"""Signed notes and checkpoints against the examples that Go publishes and a note that Go signed."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from services.audit.log.note import Checkpoint, NoteError, Signer, Verifier, open_note, sign

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO = json.loads((Path(__file__).parent / "go_vectors.json").read_text())["checkpoint"]
LOG = Signer.of("kehu.example/audit", bytes.fromhex(GO["seed"]))
WITNESS = Signer.of("witness.example", b"w" * 32)


def test_the_published_note_opens() -> None:
    note = open_note(f"{TEXT}\n{PETERS_LINE}", [Verifier.parse(PETER)])
    assert note.text == TEXT
    assert [str(key) for key in note.signed_by] == [PETER]


def test_our_note_is_byte_for_byte_the_one_that_go_signs() -> None:
    assert str(LOG.verifier) == GO["verifier"]
    checkpoint = Checkpoint.parse(open_note(GO["note"], [LOG.verifier]).text)
    assert (checkpoint.origin, checkpoint.size) == ("kehu.example/audit", GO["size"])
    assert sign(str(checkpoint), LOG) == GO["note"]


def test_several_keys_sign_and_unknown_ones_are_kept_out() -> None:
    signed = sign(TEXT, LOG, WITNESS)
    assert open_note(signed, [WITNESS.verifier, LOG.verifier]).signed_by == (LOG.verifier, WITNESS.verifier)
    assert open_note(signed, [WITNESS.verifier]).signed_by == (WITNESS.verifier,)


def test_a_later_algorithms_line_does_not_disturb() -> None:
    longer = f"— kehu.example/audit {b64encode(b'next' + b's' * 2420).decode()}\n"
    assert open_note(sign(TEXT, LOG) + longer, [LOG.verifier]).signed_by == (LOG.verifier,)


def test_a_note_that_no_trusted_key_signed_is_refused() -> None:
    with pytest.raises(NoteError, match="not signed by a trusted key"):
        open_note(sign(TEXT, WITNESS), [LOG.verifier])


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(NoteError, match="wrong signature by kehu"):
        open_note(sign(TEXT, LOG).replace("problem is", "answer is"), [LOG.verifier])


@pytest.mark.parametrize(
    "message",
    ["", "\n\n", TEXT, TEXT + "\n", f"{TEXT}\n{PETERS_LINE.rstrip()}", f"{TEXT}\n- a b\n", f"{TEXT}\n— a !!\n",
     f"{TEXT}\n— a YQ==\n", f"{TEXT}\t\n\n{PETERS_LINE}", TEXT + "\n" + PETERS_LINE * 101],
)  # fmt: skip
def test_what_is_no_note_is_refused(message: str) -> None:
    with pytest.raises(NoteError):
        open_note(message, [Verifier.parse(PETER)])


@pytest.mark.parametrize(
    "key",
    ["", "a", PETER.replace("c74f20a3", "c74f20a4"), PETER[:-4],
     "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
     "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
)  # fmt: skip
def test_what_is_no_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(key)


def test_a_text_without_its_last_newline_is_never_signed() -> None:
    with pytest.raises(ValueError, match="newline"):
        sign("text", LOG)


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_key_name_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="key name"):
        Signer.of(name, b"s" * 32)


def test_a_signer_does_not_show_its_seed() -> None:
    assert GO["seed"] not in repr(LOG)


def test_extension_lines_of_a_checkpoint_are_read_over() -> None:
    checkpoint = Checkpoint("log", 3, b"r" * 32)
    assert Checkpoint.parse(f"{checkpoint}extension\n") == checkpoint


@pytest.mark.parametrize(
    "text",
    ["", "log\n3\n", "log\n3\nAAAA\n", "\n3\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
     "log\n-3\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
     "log\n03\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
     "log\n3\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI="],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)
