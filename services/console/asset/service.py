"""Style sheet, scripts and icon, read once at start; their addresses change with their content, so browsers keep them.

What is not ours lies in `static/vendor`, with version, licence, source digest and integrity in `vendor.yaml`; a browser
refuses a script that does not fit its recorded integrity.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from pathlib import Path
from typing import Any

from shared.yamls import plain

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    address: str
    integrity: str


def read_assets() -> Mapping[str, Asset]:
    """By path under `static`."""
    recorded = {f"vendor/{each['file']}": each["integrity"] for each in vendored()}
    paths = sorted(path for path in _FOLDER.rglob("*") if path.suffix in _TYPES)
    return {name: _asset(name, path, recorded) for path in paths for name in [path.relative_to(_FOLDER).as_posix()]}


def vendored() -> list[dict[str, Any]]:
    """What `vendor.yaml` records."""
    entries: list[dict[str, Any]] = plain((_FOLDER / "vendor" / "vendor.yaml").read_text("utf-8"))
    return entries


def integrity_of(content: bytes) -> str:
    """Subresource integrity (W3C SRI)."""
    return f"sha384-{b64encode(sha384(content).digest()).decode()}"


def _asset(name: str, path: Path, recorded: Mapping[str, str]) -> Asset:
    content = path.read_bytes()
    address = f"/static/{name}?v={sha256(content).hexdigest()[:12]}"
    return Asset(content, _TYPES[path.suffix], address, recorded.get(name) or integrity_of(content))
