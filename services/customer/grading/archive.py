"""The texts that grades were made with, kept for ever: a policy that left the folder can still be run (R1.5).

A basis is the policy, the groups of the dictionary and the code lists that its expressions look into, each by the hash
of its text. Whoever grades keeps the basis in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256

from services.customer.dealings.rules import Formulas
from services.customer.grading import repository
from services.customer.grading.rules import Policy
from shared.db import Transaction
from shared.regime import Catalogue, Codelist, Definition, GradePolicy, Regimes, digest_of, restored
from shared.regime.dictionary import Dictionary

_SHAPES: dict[str, type[Definition]] = {shape.kind_name: shape for shape in (GradePolicy, Dictionary, Codelist)}


class TextChanged(Exception):
    """A kept text is not the one that its hash names."""


@dataclass(frozen=True, eq=False)
class Basis:
    """A policy with the definitions that it rests on."""

    policy: Policy
    definitions: Sequence[Definition]

    @cached_property
    def hash(self) -> str:
        return sha256("".join(each.ref.hash for each in self.definitions).encode()).hexdigest()


def basis_of(policy: Policy, regimes: Regimes, day: date) -> Basis:
    """The basis of a policy as it is declared on a day."""
    lists = [regimes.codelist(name, on=day) for name in sorted(policy.lists)]
    return Basis(policy, [policy.declared, *policy.catalogue.sources, *lists])


class Archive:
    """Keeps bases, and gives them back."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    async def keep(self, tx: Transaction, basis: Basis, now: datetime) -> None:
        """See to it that a basis is kept."""
        if basis.hash in self._kept:
            return
        texts = [
            (each.ref.hash, each.kind_name, each.ref.id, each.ref.version, each.wording, now)
            for each in basis.definitions
        ]
        await repository.keep_texts(tx, basis.hash, basis.policy.declared.kind, texts)
        tx.after_commit(lambda: self._kept.add(basis.hash))

    async def policy(self, tx: Transaction, basis: str) -> Policy:
        """The policy of a kept basis, compiled from the kept texts alone. Raises: TextChanged"""
        rows = await repository.kept_texts(tx, basis)
        for row in rows:
            if digest_of(row["wording"]) != row["hash"]:
                raise TextChanged(row["name"])
        found = [restored(_SHAPES[row["kind"]], row["name"], row["wording"]) for row in rows]
        if sha256("".join(each.ref.hash for each in found).encode()).hexdigest() != basis:
            raise TextChanged(basis)
        declared = next(each for each in found if isinstance(each, GradePolicy))
        catalogue = Catalogue(declared.kind, [each for each in found if isinstance(each, Dictionary)])
        labels = {
            each.id: {code: text.zh for code, text in each.codes.items()}
            for each in found
            if isinstance(each, Codelist)
        }
        return Policy(declared, catalogue, Formulas(catalogue, labels), labels)
