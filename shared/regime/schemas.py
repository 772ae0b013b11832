"""JSON Schemas of the kinds, for editors: generated into `regimes/schemas/`, one file a kind, checked for staleness.

Run by `python -m shared.regime schemas`. They help while writing; what counts is the loader, which sees references.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from shared.regime.kinds import KINDS

FOLDER = "schemas"


def generate() -> Mapping[str, str]:
    """Return file name -> text of every schema."""
    return {f"{kind}.json": _text(shape.model_json_schema(mode="validation")) for kind, shape in KINDS.items()}


def _text(schema: dict[str, object]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write(root: Path) -> None:
    """Write the schemas below the folder of definitions and remove those of kinds that are gone."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    texts = generate()
    for path in folder.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def stale(root: Path) -> tuple[str, ...]:
    """Return the names of the schema files that differ from what the shapes say now."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (root / FOLDER).glob("*.json")}
    texts = generate()
    return tuple(sorted(name for name in found.keys() | texts.keys() if found.get(name) != texts.get(name)))
