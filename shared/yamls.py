"""YAML as plain data, for files that we write ourselves. Measures are read more strictly (shared.regime.document)."""

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast, where it was built


def plain(text: str) -> Any:
    """What a document says; only the standard's own types. Raises: yaml.YAMLError"""
    return yaml.load(text, LOADER)  # noqa: S506 - a safe one, either way
