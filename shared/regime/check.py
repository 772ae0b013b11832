"""Checks from one definition to another: doubled names, references, and what each kind knows about itself.

Used by the loader, so that no service starts on definitions that do not hold, and by `kehu regimes check`.
Examples are run by the tests of the services that give definitions their meaning.
"""

from collections.abc import Iterator

from shared.regime.reading import Problem, Reading, Source
from shared.regime.regimes import Regimes
from shared.regime.role import Role


def check(reading: Reading, regimes: Regimes) -> tuple[Problem, ...]:
    """Return everything that is wrong with what was read, file by file, all at once."""
    problems = [*reading.problems, *_doubles(reading)]
    for source in reading.sources:
        problems.extend(_flaws(source, regimes))
    return tuple(sorted(problems))


def _doubles(reading: Reading) -> Iterator[Problem]:
    first: dict[tuple[str, str, object], str] = {}
    homes: dict[tuple[str, str], str] = {}
    for source in reading.sources:
        definition = source.definition
        name = (definition.kind_name, definition.key)
        place = source.pages.place_of(("id",))
        other = first.setdefault((*name, definition.effective_from), source.file)
        if other != source.file:
            message = f"{name[0]} {name[1]!r} of {definition.effective_from} is already stated by {other}"
            yield Problem(*place, message, "give the later one a later effective_from")
        home = homes.setdefault(name, definition.measure)
        if home != definition.measure:
            yield Problem(*place, f"{name[0]} {name[1]!r} belongs to {home}", "choose another id")


def _flaws(source: Source, regimes: Regimes) -> Iterator[Problem]:
    owner = source.definition.owner
    if regimes.find(Role, owner, on=source.definition.effective_from) is None:
        yield Problem(*source.pages.place_of(("owner",)), f"no role {owner!r}", "see the role folder")
    for flaw in source.definition.flaws(regimes):
        yield Problem(*source.pages.place_of(flaw.path), flaw.message, flaw.hint)
