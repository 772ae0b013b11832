"""Operations staff follow the audit stream: live, filtered, and on exactly from where they were."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.factories.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]


@contextmanager
def stream(live: Live, last_event_id: int | None = None, **query: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The frames as they come; each entry has its `id` beside it."""
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    auditor = live.as_("auditor", "audit")
    with auditor.stream("GET", "/v1/stream", params=query, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _entries(answer)


def _entries(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    frame: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line:
            frame[name] = value
        elif "data" in frame:
            assert frame["event"] == "entry"
            yield {"id": int(frame["id"]), **json.loads(frame["data"])}
            frame = {}


def _take(entries: Iterator[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    return [next(entries) for _ in range(number)]


def test_a_change_comes_up_live_with_its_values(live: Live) -> None:
    customer = live.register()["id"]
    live.entry(customer, "customer.registered", 1)
    with stream(live, subject=f"customer/{customer}", type="customer.changed") as entries:
        live.change(customer, 1, shop_name="直播便利店")
        seen = next(entries)
    assert (seen["id"], seen["sequence"]) == (seen["index"], 2)
    assert seen["data"]["values"] == {"shop_name": {"before": "旅程便利店", "after": "直播便利店"}}
    found = live.entry(customer, "customer.changed", 2)
    assert {name: seen[name] for name in found} == found


def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(live: Live) -> None:
    customer = live.register()["id"]
    query = {"subject": f"customer/{customer}", "type": "customer.changed"}
    with stream(live, **query) as entries:
        for version in range(1, 4):
            live.change(customer, version, shop_name=f"{version} 号便利店")
        first = _take(entries, 2)
    for version in range(4, 7):  # while nobody reads
        live.change(customer, version, shop_name=f"{version} 号便利店")
    with stream(live, last_event_id=first[-1]["id"], **query) as entries:
        rest = _take(entries, 4)
    assert [each["sequence"] for each in first + rest] == [2, 3, 4, 5, 6, 7]


def test_an_unfiltered_stream_numbers_without_gaps(live: Live) -> None:
    customer = live.register()["id"]
    start = live.entry(customer, "customer.registered", 1)["index"]
    live.change(customer, 1, shop_name="无隙便利店")
    live.entry(customer, "customer.changed", 2)
    with stream(live, last_event_id=0) as entries:
        assert [each["id"] for each in _take(entries, start + 1)] == list(range(1, start + 2))


@pytest.mark.parametrize("place", ["-1", "one", "99999999999999999", "1.0", "999999999999999999999999"])
def test_a_place_that_never_was_is_refused(live: Live, place: str) -> None:
    answer = live.as_("auditor", "audit").get("/v1/stream", headers={"Last-Event-ID": place})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == "header:Last-Event-ID"
