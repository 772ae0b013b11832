"""What every definition of a measure has in common: shape, texts, secrecy, identity.

Used by the modules of the single kinds and by the loader. Knows no kind, no file system and no measure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", max_length=60)]
Snake = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
Requirement = Annotated[str, Field(pattern=r"^R[0-9]{1,2}(\.[0-9]{1,2})?$")]
Sentence = Annotated[str, Field(min_length=1, max_length=600)]
Path = tuple[str | int, ...]


class Shape(BaseModel):
    """A closed, immutable piece of a definition: an unknown key is a mistake, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(Shape):
    """One text for people, in both languages of the suite."""

    zh: Sentence
    en: Sentence

    def of(self, language: str) -> str:
        """Return the text in `language` ("zh", "en", "zh-CN" ...); English for any other."""
        return self.zh if language.lower().startswith("zh") else self.en


class Secrecy(StrEnum):
    """Secrecy levels, lowest first; the order is the order of declaration."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"  # noqa: S105 - a level, not a credential
    TOP_SECRET = "top_secret"  # noqa: S105

    def covers(self, other: "Secrecy") -> bool:
        """Tell whether a clearance of this level may read what carries `other`."""
        return _RANK[self] >= _RANK[other]


_RANK = {level: rank for rank, level in enumerate(Secrecy)}


def highest(levels: Iterable[Secrecy]) -> Secrecy:
    """The highest of some levels; of none, the lowest that there is."""
    return max(levels, key=_RANK.__getitem__, default=Secrecy.PUBLIC)


@dataclass(frozen=True, slots=True)
class Ref:
    """Which text of which definition was in force: stored with every grade, verdict and message.

    `id` is "<measure>/<kind>/<id>", `version` the day it takes effect, `hash` the SHA-256 of its canonical content,
    so that comments and layout of the file do not count but every word of it does.
    """

    id: str
    version: date
    hash: str

    def as_json(self) -> dict[str, str]:
        """Return the reference as plain JSON for rows, events and answers."""
        return {"id": self.id, "version": self.version.isoformat(), "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong inside one definition: where (path of keys and positions), what, and what to do about it."""

    path: Path
    message: str
    hint: str = ""


class Definition(Shape):
    """One file of `regimes/`: an effective-dated statement of a measure, with examples that prove it."""

    kind_name: ClassVar[str]

    id: Slug
    title: Text
    requirement: Requirement
    effective_from: date
    owner: Slug = Field(description="The role that answers for this definition")

    _ref: Ref = PrivateAttr()
    _wording: "Json" = PrivateAttr(default=None)

    @property
    def ref(self) -> Ref:
        """The identity that the loader stamped on this definition."""
        return self._ref

    @property
    def measure(self) -> str:
        """The measure (folder) that this definition belongs to."""
        return self._ref.id.partition("/")[0]

    @property
    def key(self) -> str:
        """The name by which services ask for it; all its versions share it."""
        return self.id

    @property
    def wording(self) -> "Json":
        """What the file says, word for word, as plain JSON: the hash in `ref` is that of its canonical form."""
        return self._wording

    def stamp(self, ref: Ref, wording: "Json" = None) -> None:
        """Give the definition its identity; the loader does so once, before anybody else sees it."""
        self._ref = ref
        self._wording = wording

    def flaws(self, library: "Library") -> Iterator[Flaw]:  # noqa: ARG002 - kinds without references need none
        """Yield what no shape can see: references that lead nowhere, sums, gaps, expressions that do not compile."""
        yield from ()


D = TypeVar("D", bound=Definition)


class Library(Protocol):
    """All definitions as one definition may see them while it is checked."""

    def find(self, shape: type[D], key: str, *, on: date) -> D | None:
        """Return the version in force on a day."""
        ...

    def all(self, shape: type[D], *, on: date) -> tuple[D, ...]:
        """Return the version in force of every definition of a kind."""
        ...


def doubled(names: Sequence[str], place: str, word: str) -> Iterator[Flaw]:
    """Yield a flaw for every name that an earlier entry of the list `place` has under its key `word`."""
    for position, name in enumerate(names):
        if names.index(name) != position:
            yield Flaw((place, position, word), f"{name!r} stands twice", "choose another name")


Json = Any  # a value as it came out of JSON or YAML
