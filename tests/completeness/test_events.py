"""Every event has somebody who publishes it, a schema, and somebody who keeps it."""

import ast
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import pytest

from shared.events import EVENTS, PRODUCERS, Event
from shared.events.documents import SCHEMAS, file_name
from shared.events.readers import readers

ROOT = Path(__file__).parents[2]
every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
pytestmark = pytest.mark.req("R0.1")


def built_in(folder: Path) -> set[str]:
    """Names of classes that the Python below a folder makes instances of."""
    trees = [ast.parse(path.read_text("utf-8")) for path in folder.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {node.func.id for node in calls if isinstance(node.func, ast.Name)}


@cache
def built() -> dict[str, set[str]]:
    """By service; read once, and by whom it is asked for only."""
    return {path.name: built_in(path) for path in (ROOT / "services").iterdir() if path.is_dir()}


@cache
def read_by() -> Mapping[str, Collection[str]]:
    """Which services read which event."""
    return readers(ROOT)


def test_every_service_publishes_on_a_topic_that_audit_reads() -> None:
    assert set(PRODUCERS) == {path.parent.name for path in (ROOT / "services").glob("*/app.py")}


@every_event
def test_every_event_is_published_by_each_service_that_says_so(event: type[Event]) -> None:
    assert set(event.producers) <= set(PRODUCERS)
    if set(event.producers) == set(PRODUCERS):
        builders = [name for name, names in built().items() if event.__name__ in names]
        assert event.__name__ in built_in(ROOT / "shared" / "web") or builders
    else:
        assert [name for name in event.producers if event.__name__ not in built()[name]] == []


@every_event
def test_no_service_publishes_what_another_declares(event: type[Event]) -> None:
    builders = {name for name, names in built().items() if event.__name__ in names}
    assert builders <= set(event.producers)


@every_event
def test_every_event_has_a_schema_a_meaning_and_is_audited(event: type[Event]) -> None:
    assert (ROOT / SCHEMAS / file_name(event)).is_file()
    assert (event.__doc__ or "").strip()
    assert "audit" in read_by()[event.type]


@every_event
def test_types_are_facts_in_the_past_tense_named_once(event: type[Event]) -> None:
    aggregate, _, fact = event.type.partition(".")
    assert aggregate.isidentifier()
    assert fact.isidentifier()
    assert event.type == event.type.lower()
    assert [name for name, other in EVENTS.items() if other is event] == [event.type]


def declared(above: type[Event]) -> set[type[Event]]:
    """Event classes with a type of their own, at any depth."""
    below = {each for child in above.__subclasses__() for each in declared(child)}
    return below | ({above} if "type" in vars(above) else set())


def test_no_event_class_is_left_out_of_the_table() -> None:
    known = {event.__name__ for event in EVENTS.values()}
    assert {each.__name__ for each in declared(Event) if each.__module__.startswith("shared.")} == known
