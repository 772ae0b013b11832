"""The generated event documents are fresh, whole, and never take back what was published."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator, meta

from shared.events import EVENTS, PRODUCERS
from shared.events.__main__ import broken, stale, write
from shared.events.compatibility import breaks
from shared.events.documents import ASYNCAPI, HANDBOOK, SCHEMAS, file_name, schema_of
from tests.factories.events import dealings

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.req("R0.1")


def test_no_published_version_is_broken() -> None:
    assert broken(ROOT) == []


def test_no_generated_file_is_stale() -> None:
    assert stale(ROOT) == [], "run `make schemas`"


def test_a_stale_a_missing_and_a_left_over_file_are_found(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    name = file_name(EVENTS["customer.changed"])
    (tmp_path / SCHEMAS / name).unlink()
    (tmp_path / SCHEMAS / "moon.risen.v1.json").write_text("{}")
    (tmp_path / HANDBOOK).write_text("old")
    (tmp_path / ASYNCAPI / "moon.yaml").write_text("{}")
    assert stale(tmp_path) == [
        str(ASYNCAPI / "moon.yaml"),
        str(HANDBOOK),
        str(SCHEMAS / name),
        str(SCHEMAS / "moon.risen.v1.json"),
    ]


def test_each_schema_is_one_and_takes_what_its_class_writes() -> None:
    for path in (ROOT / SCHEMAS).glob("*.json"):
        assert meta.is_valid(json.loads(path.read_text("utf-8"))), path
    event = dealings()
    validator = Draft202012Validator(schema_of(type(event)))
    assert validator.is_valid(json.loads(event.model_dump_json()))
    assert not validator.is_valid({"customer_id": 5})


def test_the_handbook_explains_every_event_and_names_who_reads_it() -> None:
    text = (ROOT / HANDBOOK).read_text("utf-8")
    for name in EVENTS:
        assert f"\n## {name}\n" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| [`customer.changed`]")]
    assert row.endswith("| 1 | customer | audit, customer |")


def test_the_asyncapi_documents_have_every_event_once_a_producer() -> None:
    found = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ASYNCAPI).glob("*.yaml")}
    assert set(found) == set(PRODUCERS)
    for producer, document in found.items():
        assert document["asyncapi"] == "3.0.0"
        assert set(document["channels"]) == {producer}
        published = {name for name, event in EVENTS.items() if producer in event.producers}
        assert set(document["channels"][producer]["messages"]) == published


def test_each_message_is_described_once_with_what_is_about_the_same() -> None:
    files = [path for path in (ROOT / ASYNCAPI / "messages").glob("*.yaml") if path.stem != "envelope"]
    described = [(path.stem, name) for path in files for name in yaml.safe_load(path.read_text("utf-8"))]
    assert sorted(described) == sorted((name.partition(".")[0], name) for name in EVENTS)


def test_every_reference_of_an_asyncapi_document_leads_somewhere() -> None:
    followed = 0
    for path in (ROOT / ASYNCAPI).rglob("*.yaml"):
        for reference in _references(yaml.safe_load(path.read_text("utf-8"))):
            file, _, fragment = reference.partition("#")
            place: Any = yaml.safe_load((path.parent / file if file else path).read_text("utf-8"))
            for step in fragment.split("/")[1:]:
                place = place[step]
            assert place
            followed += 1
    assert followed > 3 * len(EVENTS)


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [found for key, each in part.items() for found in ([each] if key == "$ref" else _references(each))]
    return [found for each in part for found in _references(each)] if isinstance(part, list) else []


PUBLISHED = schema_of(EVENTS["customer.grade_changed"])


def changed(**places: Any) -> dict[str, Any]:
    """The published schema with members replaced (None: removed)."""
    schema = copy.deepcopy(PUBLISHED)
    for name, member in places.items():
        if member is None:
            del schema["properties"][name]
            schema["required"] = [each for each in schema["required"] if each != name]
        else:
            schema["properties"][name] = member
    return schema


def test_an_optional_member_and_better_words_are_no_break() -> None:
    schema = changed(note={"type": "string", "default": ""})
    schema["description"] = "Said better."
    assert breaks(PUBLISHED, schema) == []


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        (changed(grade=None), "/grade is gone"),
        (changed(grade=None, class_={"type": "string"}), "/grade is gone"),
        (
            {**changed(note={"type": "string"}), "required": [*PUBLISHED["required"], "note"]},
            "/note is new and required",
        ),
        ({**PUBLISHED, "required": [*PUBLISHED["required"], "manager"]}, "/manager was optional and is required"),
        ({**PUBLISHED, "required": PUBLISHED["required"][1:]}, "was required and is optional"),
        (changed(grade={"type": "string", "maxLength": 1}), "/grade has another type"),
        (changed(grade={"type": "integer"}), "/grade has another type"),
        (changed(manager={"type": "string"}), "/manager has another type"),
        ({**PUBLISHED, "additionalProperties": False}, "/ takes other members"),
    ],
)
def test_each_breaking_change_is_refused(schema: dict[str, Any], line: str) -> None:
    assert any(line in each for each in breaks(PUBLISHED, schema))


def test_a_change_inside_a_nested_shape_is_seen() -> None:
    schema = copy.deepcopy(PUBLISHED)
    del schema["$defs"]["RegimeRef"]["properties"]["hash"]
    assert "/policy/hash is gone" in breaks(PUBLISHED, schema)
