"""What the declared roles say, read a second time and in the plainest way.

The matrix holds the services against the data, so nothing here comes from `shared.auth` or `shared.regime`: the YAML
files, a tree of units, and the four words for a reach.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
EVERYWHERE = "all"


def declared(kind: str, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """The definitions of a kind by their ids."""
    found = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(root.glob(f"regimes/*/{kind}/*.yaml"))]
    assert len({each["id"] for each in found}) == len(found), f"two definitions of a {kind} have the same id"
    return {each["id"]: each for each in found}


class Oracle:
    """The roles, over units whose parents are given; units that are not stand by themselves."""

    def __init__(self, parents: Mapping[str, str | None], root: Path = ROOT) -> None:
        self.root = root
        self._parents = parents
        self.roles = declared("role", root)
        self._actions = {
            f"{resource['id']}.{name}": action
            for resource in declared("resource", root).values()
            for name, action in resource["actions"].items()
        }

    def grants(self, role: str, action: str) -> bool:
        """Whether a role may do something at all."""
        return action == "*" or any(self._reaches_of(role, action))

    def reaches(self, role: str, action: str, home: str, unit: str) -> bool:
        """Whether who holds the role over `home` reaches what belongs to `unit`."""
        above = set(self._above(unit))
        is_within = {"own": home == unit, "subtree": home in above, EVERYWHERE: True, "assigned": False}
        return any(is_within[reach] for reach in self._reaches_of(role, action))

    def reaches_everything(self, role: str, action: str) -> bool:
        """Whether no unit bounds it."""
        return EVERYWHERE in self._reaches_of(role, action)

    def needs_recent_sign_in(self, action: str) -> bool:
        return bool(self._actions.get(action, {}).get("recent"))

    def _reaches_of(self, role: str, action: str) -> Iterator[str]:
        declared = self.roles.get(role, {"grants": []})
        resource, _, verb = action.partition(".")
        for grant in declared["grants"]:
            if grant["resource"] == resource and verb in grant["actions"]:
                yield grant.get("units", declared["units"])

    def _above(self, unit: str | None) -> Iterator[str]:
        """A unit and all above it."""
        while unit is not None:
            yield unit
            unit = self._parents.get(unit)
