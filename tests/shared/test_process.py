"""Every service starts by the same three verbs and names all that is missing at once; ids, time, refusals, traces."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared import clock
from shared.errors import ALL, Fault, Invalid
from shared.ids import new_id, parse_id, time_of
from shared.process import main
from shared.telemetry import current_traceparent, span
from tests.factories.services import NAMES, service

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", [[], ["serve"], ["api", "worker"]])
def test_a_service_without_one_of_its_verbs_says_which_there_are(name: str, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(service(name), arguments)
    assert ended.value.code == f"usage: python -m services.{name} api | worker | migrate"


@pytest.mark.parametrize("name", NAMES)
def test_a_service_names_every_missing_setting_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    required = [field for field, info in service(name).settings.model_fields.items() if info.is_required()]
    for field in required:
        monkeypatch.delenv(f"{name}_{field}".upper(), raising=False)
    with pytest.raises(SystemExit) as ended:
        main(service(name), ["api"])
    assert [field for field in required if f"{name}_{field}".upper() not in str(ended.value.code)] == []


def test_the_module_of_a_service_is_its_command() -> None:
    command = [sys.executable, "-m", "services.notify"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("usage: python -m services.notify api")


def test_ids_rise_with_time_and_tell_it() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # noqa: TID251 - the clock itself is under test
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(set(ids))
    moment = time_of(ids[0])
    assert moment is not None
    assert before <= moment <= clock.now() + timedelta(milliseconds=1)
    assert time_of(uuid.uuid4()) is None


@pytest.mark.parametrize(
    "text", ["", "x", "{01935F00-0000-7000-8000-000000000001}", "01935F00-0000-7000-8000-00000000000A"]
)
def test_only_the_canonical_spelling_is_an_id(text: str) -> None:
    assert parse_id(text) is None
    assert parse_id("01935f00-0000-7000-8000-00000000000a") is not None


def test_each_refusal_has_a_status_of_its_own() -> None:
    statuses = [kind.status for kind in ALL]
    assert sorted(set(statuses)) == sorted(statuses)
    assert all(400 <= status <= 503 for status in statuses)
    refusal = Invalid("some_code", "Say why.", [Fault("/a", "bad", 1, "2")])
    assert str(refusal) == "some_code: Say why."
    assert refusal.faults[0].as_dict() == {"pointer": "/a", "code": "bad", "seen": 1, "expected": "2"}


def test_a_span_continues_its_trace_and_gives_it_back() -> None:
    assert current_traceparent() is None
    with span("outer", parent=f"00-{'a' * 32}-{'b' * 16}-01"):
        outer = current_traceparent() or ""
        assert outer.split("-")[1] == "a" * 32
        with span("inner"):
            inner = current_traceparent() or ""
            assert inner.split("-")[1] == "a" * 32
            assert inner != outer
        assert current_traceparent() == outer
    assert current_traceparent() is None


@pytest.mark.parametrize("parent", ["", "garbage", f"00-{'A' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'b' * 16}"])
def test_a_malformed_trace_is_not_continued(parent: str) -> None:
    with span("work", parent=parent):
        assert parent not in (current_traceparent() or "") or not parent
