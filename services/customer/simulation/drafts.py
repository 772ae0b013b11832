"""A policy that somebody is thinking of: read, checked as the loader would, its examples run. Every flaw at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.customer.grading.rules import Policy
from services.customer.grading.service import Grading
from services.customer.simulation import errors
from shared.errors import Fault
from shared.regime import GradePolicy, Regimes, load_value, restored
from shared.regime.document import Mistake, parse
from shared.regime.role import Role

_AT = "/policy"
_SEEN = 120


class Drafts:
    """Turns what a caller sends into a policy that can be run."""

    def __init__(self, regimes: Regimes, grading: Grading) -> None:
        self._regimes = regimes
        self._grading = grading

    def declared(self, policy_id: str, version: date) -> Policy:
        """A version that is declared. Raises: NotFound (unknown_definition), Invalid (bad_policy)"""
        versions = {each.effective_from: each for each in self._versions(policy_id)}
        if version not in versions:
            expected = sorted(str(each) for each in versions)
            raise errors.bad_policy([Fault("/version", "unknown_version", str(version), expected)])
        return self._grading.candidate(versions[version], version)

    def written(self, policy_id: str, given: str | Mapping[str, Any], today: date) -> Policy:
        """A definition as YAML or JSON. Raises: NotFound (unknown_definition), Invalid (bad_policy)"""
        known = self._versions(policy_id)
        try:
            wording = parse(given).data if isinstance(given, str) else dict(given)
        except Mistake as mistake:
            raise errors.bad_policy([Fault(_AT, "not_yaml", f"line {mistake.line}", mistake.message)]) from mistake
        try:
            declared = restored(GradePolicy, known[0].ref.id, wording)
        except ValidationError as error:
            raise errors.bad_policy(list(_shape_faults(error))) from error
        day = max(today, declared.effective_from)
        if faults := [*self._faults(declared, known[0]), *self._flaws(declared)]:
            raise errors.bad_policy(faults)
        policy = self._grading.candidate(declared, day)
        if faults := list(_example_faults(policy)):
            raise errors.bad_policy(faults)
        return policy

    def again(self, name: str, wording: Mapping[str, Any], today: date) -> Policy:
        """The policy of a simulation that was let pass."""
        declared = restored(GradePolicy, name, wording)
        return self._grading.candidate(declared, max(today, declared.effective_from))

    def _versions(self, policy_id: str) -> list[GradePolicy]:
        found = [each for each in self._regimes.definitions if isinstance(each, GradePolicy) and each.id == policy_id]
        if not found:
            raise errors.no_such_policy()
        return found

    def _faults(self, declared: GradePolicy, known: GradePolicy) -> Iterator[Fault]:
        if declared.id != known.id:
            yield Fault(f"{_AT}/id", "another_id", declared.id, known.id)
        if declared.kind != known.kind:
            yield Fault(f"{_AT}/kind", "another_kind", declared.kind, known.kind)
        if self._regimes.find(Role, declared.owner, on=declared.effective_from) is None:
            yield Fault(f"{_AT}/owner", "unknown_role", declared.owner, "a declared role")

    def _flaws(self, declared: GradePolicy) -> Iterator[Fault]:
        for flaw in declared.flaws(self._regimes):
            yield Fault("/".join((_AT, *map(str, flaw.path))), "flaw", flaw.message, flaw.hint)


def _shape_faults(error: ValidationError) -> Iterator[Fault]:
    for each in error.errors(include_url=False):
        seen = None if each["type"] == "missing" else str(each["input"])[:_SEEN]
        yield Fault("/".join((_AT, *map(str, each["loc"]))), each["type"], seen, each["msg"])


def _example_faults(policy: Policy) -> Iterator[Fault]:
    """Examples that do not come true."""
    types = {code: item.type for code, item in policy.catalogue.items.items()}
    types |= {f"total.{code}": total.type for code, total in policy.catalogue.totals.items()}
    for position, example in enumerate(policy.declared.examples):
        at = f"{_AT}/examples/{position}"
        try:
            row = {name: load_value(types[name], value) for name, value in example.inputs.items()}
            check = policy.judge(row)
        except (ArithmeticError, ValueError, TypeError):
            yield Fault(f"{at}/inputs", "wrong_type", None, "values as the dictionary stores them")
            continue
        if (check.score, check.grade) != (example.score, example.grade):
            yield Fault(at, "example_differs", f"{example.score} {example.grade}", f"{check.score} {check.grade}")
