"""Tokens, dead letters and the audit log's proofs, against services that run."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kehu.postgres import PostgresServer
from tests.factories.suite import Suite, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    suite = Suite(tmp_path_factory.mktemp("operations") / "data", ("identity", "audit"))
    done = suite.up()
    assert done.returncode == 0, done.stdout + done.stderr
    yield suite
    suite.kehu("down")


@pytest.fixture
def letter(suite: Suite) -> str:
    """A parked event of the audit service whose bytes no consumer can read."""
    letter = str(uuid.uuid4())
    PostgresServer(suite.data / "postgres").execute(
        f"""
        INSERT INTO dead_letter
          (id, consumer_group, topic, partition, position, key, value, headers, error, fingerprint)
        VALUES ('{letter}', 'nobody', 'kehu.customer', 0, {uuid.UUID(letter).int % 10**9}, 'k', 'v', '', 'Broken', 'f')
        """,
        "audit",
    )
    return letter


@pytest.mark.parametrize("name", ["dept", "partner1"])
def test_a_token_of_a_person_or_a_partner_is_good(suite: Suite, name: str) -> None:
    done = suite.kehu("token", name)
    assert done.returncode == 0, done.stderr
    authority = {"Authorization": f"Bearer {done.stdout.strip()}"}
    answer = httpx.get(f"http://127.0.0.1:{suite.port_base + 5}/v1/me", headers=authority)
    assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_an_unknown_sign_in_is_answered_with_the_known_ones(suite: Suite) -> None:
    done = suite.kehu("token", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert "manager1" in done.stderr


def test_a_dead_letter_is_listed_shown_and_given_up(suite: Suite, letter: str) -> None:
    (listed,) = [each for each in suite.json("dead-letters", "list") if each["id"] == letter]
    assert (listed["service"], listed["consumer_group"], listed["error"]) == ("audit", "nobody", "Broken")
    assert suite.json("dead-letters", "show", letter) == listed
    assert suite.json("dead-letters", "discard", letter)["outcome"] == "discarded"
    assert letter not in {each["id"] for each in suite.json("dead-letters", "list")}


def test_a_dead_letter_that_nobody_can_apply_is_not_replayed(suite: Suite, letter: str) -> None:
    done = suite.kehu("dead-letters", "replay", letter)
    assert done.returncode == 1
    assert "audit refused" in done.stderr
    assert suite.json("dead-letters", "show", letter)["id"] == letter


def test_an_unknown_dead_letter_is_named(suite: Suite) -> None:
    unknown = str(uuid.uuid4())
    done = suite.kehu("dead-letters", "discard", unknown)
    assert done.returncode == 1
    assert unknown in done.stderr


@pytest.mark.req("R0.4")
def test_the_log_is_verified_witnessed_and_a_changed_entry_found(suite: Suite, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    eventually(lambda: suite.kehu("audit", "checkpoint").returncode == 0)
    (key,) = suite.json("audit", "checkpoint")["verifier_keys"]
    first = suite.json("audit", "witness", "--keep", str(kept), "--key", key)
    suite.kehu("token", "gm")
    eventually(lambda: suite.json("audit", "witness", "--keep", str(kept))["size"] > first["size"])
    report = suite.json("audit", "verify", "--checkpoint", str(kept))
    assert (report["ok"], report["findings"]) == (True, [])

    change = (
        "SET session_replication_role = replica; UPDATE entry SET payload = set_byte(payload, 9, 65) WHERE index = 1"
    )
    PostgresServer(suite.data / "postgres").execute(change, "audit")
    done = suite.kehu("audit", "verify", "--json")
    assert done.returncode == 1
    assert '"first_bad_index": 1' in done.stdout
