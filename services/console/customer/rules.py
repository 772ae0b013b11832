"""How a file's values stand on the page, and how a form's text becomes a value. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_OTHER = {"id": "other", "label": {"zh": "其他", "en": "Other"}}
_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a file: the item as the dictionary has it, and its value (None: not filled in, or withheld)."""

    definition: Mapping[str, Any]
    value: Mapping[str, Any] | None
    withheld: bool

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to show, if only that it is withheld."""
        return self.withheld or self.value is not None

    @property
    def may_be_set(self) -> bool:
        return not self.withheld and self.definition.get("maintenance") != _SYSTEM


def grouped(
    dictionary: Mapping[str, Any] | None, values: Mapping[str, Any], withheld: Collection[str]
) -> list[tuple[Mapping[str, Any], list[Item]]]:
    """Group and items in the dictionary's order; values whose item it does not have come last."""
    items = list(dictionary["items"]) if dictionary else []
    known = {each["code"] for each in items}
    loose = [{"code": code, "label": code, "group": _OTHER["id"]} for code in values if code not in known]
    groups = [*(dictionary["groups"] if dictionary else ()), _OTHER]
    lines = [Item(each, values.get(each["code"]), each["code"] in withheld) for each in [*items, *loose]]
    found = [(group, [line for line in lines if line.definition["group"] == group["id"]]) for group in groups]
    return [(group, members) for group, members in found if members]


def read_value(item: Mapping[str, Any], text: str | None) -> Any:
    """What the person wrote, as the customer service takes it; it judges what does not fit.

    An empty field takes the value away (None).
    """
    written = (text or "").strip()
    if item["type"] == "boolean":
        return {"true": True, "false": False}.get(written, written or None)
    return written or None
