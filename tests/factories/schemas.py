"""Validators of parameters and answers, and what a route asks for, made out once a run.

Each test composes its service anew, and most of that is building the same few hundred validators again, and reading
the same signatures. Validators are told apart by type and by everything that is said of the field, signatures by their
code and their defaults, if the annotations are text, which only its module can give a meaning. What cannot be told
apart is made out as ever.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from types import FunctionType
from typing import Any, get_args

import pytest
from fastapi import routing
from fastapi._compat import v2
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from pydantic import TypeAdapter

_built: dict[Hashable, TypeAdapter[Any]] = {}
_read: dict[Hashable, Dependant] = {}


def build_once(patch: pytest.MonkeyPatch) -> None:
    """Let FastAPI take what it made out before."""

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

    def dependant(*, path: str, call: Callable[..., Any], **more: Any) -> Dependant:
        function = getattr(call, "__func__", call)
        if not isinstance(function, FunctionType) or not all(map(_is_text, function.__annotations__.values())):
            return get_dependant(path=path, call=call, **more)
        defaults = repr((function.__defaults__, function.__kwdefaults__, more))
        key = (path, function.__code__, function.__module__, defaults)
        known = _read.get(key)
        if known is None:
            known = _read[key] = get_dependant(path=path, call=call, **more)
        return replace(known, call=call, dependencies=[*known.dependencies])

    patch.setattr(v2, "TypeAdapter", adapter)
    patch.setattr(routing, "get_dependant", dependant)


def _is_text(annotation: object) -> bool:
    return isinstance(annotation, str)
