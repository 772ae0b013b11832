"""`python -m shared.events` writes what is generated from the event classes; `--check` only says what is stale.

Either way a change that breaks a published version is refused: declare a new version instead.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from shared.events import EVENTS
from shared.events.compatibility import breaks
from shared.events.documents import ASYNCAPI, SCHEMAS, file_name, schema_of, texts
from shared.events.readers import readers

_ROOT = Path(__file__).parents[2]


def broken(root: Path) -> list[str]:
    """What breaks a published version, one line each."""
    found: list[str] = []
    for event in EVENTS.values():
        path = root / SCHEMAS / file_name(event)
        if path.exists():
            lines = breaks(json.loads(path.read_text("utf-8")), schema_of(event))
            found += [f"{file_name(event)}: {line}" for line in lines]
    return found


def stale(root: Path) -> list[str]:
    """Generated files that differ from what the classes say, and schemas of versions that are gone."""
    wanted = texts(readers(root))
    differ = [path for path, text in wanted.items() if not _holds(root / path, text)]
    found = [*(root / SCHEMAS).glob("*.json"), *(root / ASYNCAPI).rglob("*.yaml")]
    gone = [path.relative_to(root) for path in found if path.relative_to(root) not in wanted]
    return sorted(map(str, [*differ, *gone]))


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def write(root: Path) -> None:
    """Write every generated file."""
    for path, text in texts(readers(root)).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def main(arguments: list[str]) -> None:
    """Exit 0 only if nothing is broken and nothing is stale (any more)."""
    if arguments not in ([], ["--check"]):
        sys.exit("usage: python -m shared.events [--check]")
    if lines := broken(_ROOT):
        sys.exit("A published version never changes; declare a new one:\n  " + "\n  ".join(lines))
    if not arguments:
        write(_ROOT)
    if lines := stale(_ROOT):
        sys.exit(
            "Stale or left over; run `make schemas` and remove versions that never were published:\n  "
            + "\n  ".join(lines)
        )


if __name__ == "__main__":
    main(sys.argv[1:])
