"""What is published about the events, generated from their classes: JSON Schemas, docs/events.md, docs/asyncapi/.

`python -m shared.events` writes the files; `--check` says which are stale. A published version never changes: the
writer refuses too (shared.events.compatibility).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.events import EVENTS, PRODUCERS, Event, topic_of

SCHEMAS = Path("shared/events/schemas")
HANDBOOK = Path("docs/events.md")
ASYNCAPI = Path("docs/asyncapi")
_MESSAGES = "messages"
_ENVELOPE = "envelope.yaml"
_GENERATED = "# Generated from shared/events by `make schemas`; do not edit.\n"
_PREFIX = "kehu"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTES = {
    "ce_specversion": "1.0",
    "ce_id": "UUID of the event; equal for each delivery of it",
    "ce_source": "producing feature, such as /customer/file",
    "ce_type": "event type",
    "ce_subject": "the aggregate, such as customer/<id>",
    "ce_time": "when it happened, RFC 3339 with offset",
    "ce_dataschema": "kehu:<type>:v<version>, a file of shared/events/schemas",
    "ce_partitionkey": "id of the aggregate; events of one key keep their order",
    "ce_actor": "who caused it: staff/<name>, client/<name> or service/<name>",
    "ce_sequence": "version of the aggregate in this source; absent where there is none",
    "ce_traceparent": "W3C trace context of the cause; absent where there is none",
}
_HEAD = """\
# Events

Generated from `shared/events` by `make schemas`; do not edit. A published version never changes: an optional member may
be added, anything else is a new version. Envelope: CloudEvents 1.0, binary mode, one topic per producer; the
attributes stand in [asyncapi](asyncapi): one document a producer, and what is about one aggregate in one of
[asyncapi/messages](asyncapi/messages). JSON Schemas are in [shared/events/schemas](../shared/events/schemas).

| event | version | from | to |
|---|---|---|---|
"""


def texts(readers: Mapping[str, tuple[str, ...]]) -> dict[Path, str]:
    """Path below the repository -> text, of every generated file."""
    schemas = {SCHEMAS / file_name(event): _json(schema_of(event)) for event in EVENTS.values()}
    producers = {ASYNCAPI / f"{producer}.yaml": asyncapi(producer, readers) for producer in PRODUCERS}
    nouns = {ASYNCAPI / _MESSAGES / f"{noun}.yaml": _yaml(messages(noun)) for noun in map(_noun, EVENTS.values())}
    envelope = {ASYNCAPI / _MESSAGES / _ENVELOPE: _yaml(_envelope())}
    return {**schemas, HANDBOOK: handbook(readers), **producers, **nouns, **envelope}


def file_name(event: type[Event]) -> str:
    """Where the schema of an event's version lies."""
    return f"{event.type}.v{event.schema_version}.json"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's data."""
    return {"$schema": _DRAFT, "$id": f"urn:kehu:{event.type}:v{event.schema_version}", **event.model_json_schema()}


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _yaml(document: object) -> str:
    return _GENERATED + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def handbook(readers: Mapping[str, tuple[str, ...]]) -> str:
    """docs/events.md: an overview, then each event with its meaning and members."""
    rows = []
    for name, event in sorted(EVENTS.items()):
        link = f"[`{name}`](#{name.replace('.', '')})"
        rows.append(f"| {link} | {event.schema_version} | {_from(event)} | {', '.join(readers[name])} |")
    return _HEAD + "\n".join(rows) + "\n" + "".join(_chapter(event) for _, event in sorted(EVENTS.items()))


def _from(event: type[Event]) -> str:
    return "every service" if set(event.producers) == set(PRODUCERS) else ", ".join(event.producers)


def _chapter(event: type[Event]) -> str:
    schema = event.model_json_schema()
    required = set(schema.get("required", ()))
    members = [
        f"| `{name}` | {_type(member)} | {'yes' if name in required else 'no'} |"
        for name, member in schema["properties"].items()
    ]
    table = "\n".join(["| member | type | required |", "|---|---|---|", *members])
    shown = "".join(f"\n`{name}` is shown to whoever may `{action}`.\n" for name, action in event.shown_by.items())
    return f"\n## {event.type}\n{inspect.cleandoc(event.__doc__ or '')}\n\n{table}\n{shown}"


def _type(member: Mapping[str, Any]) -> str:
    if "anyOf" in member:
        return " or ".join(_type(each) for each in member["anyOf"])
    if "$ref" in member:
        return str(member["$ref"]).rpartition("/")[2]
    if member.get("type") == "array":
        return f"list of {_type(member['items'])}"
    bounds = [f"{sign} {member[key]}" for key, sign in (("minimum", "≥"), ("maximum", "≤")) if key in member]
    return " ".join([str(member.get("type", "any")), *bounds])


def asyncapi(producer: str, readers: Mapping[str, tuple[str, ...]]) -> str:
    """docs/asyncapi/<producer>.yaml, AsyncAPI 3.0: its topic, who sends and who receives there, which messages."""
    events = _events_of(producer)
    consumers = sorted({service for event in events for service in readers[event.type]})
    operations = {f"{producer}-publishes": _sending(producer)}
    operations |= {f"{service}-consumes-{producer}": _receiving(service, producer, readers) for service in consumers}
    return _yaml(
        {
            "asyncapi": "3.0.0",
            "info": {"title": f"Kehu events of {producer}", "version": "1", "license": {"name": "Apache-2.0"}},
            "defaultContentType": "application/json",
            "channels": {producer: _channel(producer)},
            "operations": operations,
        }
    )


def messages(noun: str) -> dict[str, Any]:
    """docs/asyncapi/messages/<noun>.yaml: the messages about an aggregate, whoever sends them."""
    return {name: _message(event) for name, event in sorted(EVENTS.items()) if _noun(event) == noun}


def _noun(event: type[Event]) -> str:
    return event.type.partition(".")[0]


def _events_of(producer: str) -> list[type[Event]]:
    return [event for _, event in sorted(EVENTS.items()) if producer in event.producers]


def _channel(producer: str) -> dict[str, Any]:
    named = {event.type: f"{_MESSAGES}/{_noun(event)}.yaml#/{event.type}" for event in _events_of(producer)}
    return {
        "address": topic_of(_PREFIX, producer),
        "messages": {name: {"$ref": reference} for name, reference in named.items()},
        "bindings": {"kafka": {"topic": topic_of(_PREFIX, producer)}},
    }


def _sending(producer: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{producer}"}}


def _receiving(service: str, producer: str, readers: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    events = _events_of(producer)
    names = [event.type for event in events if service in readers[event.type]]
    if len(names) == len(events):  # AsyncAPI: an operation that names no messages is about all of the channel
        return {"action": "receive", "channel": {"$ref": f"#/channels/{producer}"}}
    messages = [{"$ref": f"#/channels/{producer}/messages/{name}"} for name in names]
    return {"action": "receive", "channel": {"$ref": f"#/channels/{producer}"}, "messages": messages}


def _envelope() -> dict[str, Any]:
    """What every message has in common: the CloudEvents attributes as headers, and the key."""
    optional = {"ce_sequence", "ce_traceparent"}
    return {
        "headers": {
            "type": "object",
            "required": [name for name in _ATTRIBUTES if name not in optional],
            "properties": {name: {"type": "string", "description": text} for name, text in _ATTRIBUTES.items()},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": "ce_partitionkey"}}},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type,
        "summary": inspect.cleandoc(event.__doc__ or "").partition("\n")[0],
        "traits": [{"$ref": _ENVELOPE}],
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"../../../{SCHEMAS}/{file_name(event)}"},
        },
    }
