"""All services, composed from settings with every required variable filled in; nothing is started."""

import base64
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.process import Parts, Service

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py"))
KEY = base64.b64encode(bytes(range(32))).decode()


def service(name: str) -> Service[Any]:
    """The service as its command line knows it."""
    return import_module(f"services.{name}.app").SERVICE


def settings(name: str) -> Any:
    """Its settings: required ones by the form that their name tells, the rest as they are by default."""
    kind = service(name).settings
    required = [field for field, info in kind.model_fields.items() if info.is_required()]
    return kind(**{field: _value(field) for field in required}, regimes_path=ROOT / "regimes")


def _value(field: str) -> str:
    if field in ("database_url", "bus_url"):
        return "postgresql://nobody:nothing@127.0.0.1:9/nowhere"
    if field.endswith("url") or field == "issuer":
        return f"http://127.0.0.1:9/{field}"
    return {"kek": f"k:{KEY}", "checkpoint_seed": KEY}[field]


def composed() -> Iterator[tuple[str, Parts]]:
    """Every service's parts."""
    for name in NAMES:
        yield name, service(name).compose(settings(name))
