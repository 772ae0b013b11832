"""Writes the tables of all settings into docs/operations.md: `python -m deploy.settings_table`; a test compares."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from pydantic.fields import FieldInfo

from kehu.plan import PROJECT, SERVICES
from shared.process import Service
from shared.settings import ServiceSettings

DOCUMENT = PROJECT / "docs" / "operations.md"
BEGIN, END = "<!-- settings: made by python -m deploy.settings_table -->\n", "<!-- end of settings -->\n"


def settings_of(name: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    service: Service[ServiceSettings] = import_module(f"services.{name}.app").SERVICE
    return service.settings


def tables() -> str:
    """What every service has, then what each adds or sets otherwise."""
    common = ServiceSettings.model_fields
    lines = list(_table("Every service, with its own prefix (`CUSTOMER_`, `AUDIT_` …)", "…", common))
    for name in SERVICES:
        fields = settings_of(name).model_fields
        own = {key: field for key, field in fields.items() if key not in common or field.default != common[key].default}
        if own:
            lines += _table(name, name.upper(), own)
    return "\n".join(lines)


def _table(title: str, prefix: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield f"**{title}**\n"
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in fields.items():
        yield f"| `{prefix}_{name.upper()}` | {_default(field)} | {field.description} |"
    yield ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    return "none" if field.default is None or field.default == () else f"`{field.default}`"


def renewed(document: str) -> str:
    """The document with fresh tables between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def write(path: Path = DOCUMENT) -> None:
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
