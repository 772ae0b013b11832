"""Validators of parameters and answers, built once a run.

Each test composes its service anew, and half of that is building the same few hundred validators again. They are
told apart by type and by everything that is said of the field; what cannot be told apart is built as ever.
"""

from collections.abc import Hashable
from typing import Any, get_args

import pytest
from fastapi._compat import v2
from pydantic import TypeAdapter

_built: dict[Hashable, TypeAdapter[Any]] = {}


def build_once(patch: pytest.MonkeyPatch) -> None:
    """Let FastAPI take validators that it built before."""

    def adapter(annotated: Any, *, config: Any = None) -> TypeAdapter[Any]:
        kind, *said = get_args(annotated)
        key = (kind, repr(said), repr(config))
        try:
            known = _built.get(key)
        except TypeError:  # a type that has no hash
            return TypeAdapter(annotated, config=config)
        if known is None:
            known = _built[key] = TypeAdapter(annotated, config=config)
        return known

    patch.setattr(v2, "TypeAdapter", adapter)
