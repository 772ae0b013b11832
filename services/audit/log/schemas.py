"""How proofs look over HTTP: hashes in lower-case hex, audit paths from the leaf up."""

from pydantic import BaseModel, ConfigDict, Field


class Inclusion(BaseModel):
    """RFC 9162 §2.1.3: hash `leaf_hash` along `path` and the result is `root`, the root of the tree of `size`."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"index": 0, "size": 2, "leaf_hash": "6e34…", "path": ["96a2…"], "root": "fac5…"}}
    )

    index: int
    size: int
    leaf_hash: str
    path: list[str]
    root: str


class Consistency(BaseModel):
    """RFC 9162 §2.1.4: the tree of `to` entries begins with the tree of `from` entries."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    old: int = Field(alias="from")
    new: int = Field(alias="to")
    old_root: str
    new_root: str
    path: list[str]
