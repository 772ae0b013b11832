"""Who consumes an event, read off the code and the declared messages; for the generated documents and their tests.

A service names the classes that it consumes in its `consumers.py`, or subscribes to every topic there (audit); all
follow the directory by the roster; a declared message (regimes, kind `message`) names the event that sends it. This
module reads files and imports nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from shared.events import EVENTS, PRODUCERS
from shared.yamls import plain

_ROSTER = "shared/auth/roster.py"


def readers(root: Path) -> Mapping[str, tuple[str, ...]]:
    """Event type -> names of the services that consume it, sorted; `root` is the folder of the repository."""
    found: dict[str, set[str]] = {name: set() for name in EVENTS}
    consumers = {path: (path.parent.name,) for path in root.glob("services/*/consumers.py")}
    everywhere = dict.fromkeys(root.glob(_ROSTER), PRODUCERS)
    for path, services in {**consumers, **everywhere}.items():
        tree = ast.parse(path.read_text("utf-8"))
        used = _named(tree)
        for name, event in EVENTS.items():
            if event.__name__ in used or _takes_all(tree):
                found[name].update(services)
    for name in _announced(root):
        found.get(name, set()).add("notify")
    return {name: tuple(sorted(services)) for name, services in found.items()}


def _named(tree: ast.AST) -> set[str]:
    """Names that are handed on as they are: not `SomeEvent.type`, by which code tells an event apart."""
    parts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in parts}


def _takes_all(tree: ast.AST) -> bool:
    """Whether `parts.topics()` is called without naming a producer: a consumer of every topic."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "topics"
        and not node.args
        for node in ast.walk(tree)
    )


def _announced(root: Path) -> set[str]:
    paths = sorted(root.glob("regimes/*/message/*.yaml"))
    return {str(plain(path.read_text("utf-8")).get("event")) for path in paths}
