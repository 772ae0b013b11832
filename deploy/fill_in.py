"""Makes the settings of one installation: deploy/env with a fresh secret in place of every placeholder.

    python3 deploy/fill_in.py FOLDER

`change-me-password-NAME` becomes a password, `change-me-key-NAME` 32 random bytes in base64; the same placeholder is
the same secret in every file. Needs nothing but Python, so that a host without the suite's packages can run it.
"""

import re
import secrets
import sys
from base64 import b64encode
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).with_name("env")
PLACEHOLDER = re.compile(r"change-me-(password|key)-[a-z-]*[a-z]")


def fill_in(folder: Path) -> None:
    """Write every file anew into `folder`, which must not exist: secrets in use are never replaced."""
    folder.mkdir(mode=0o700, parents=True)
    secret = cache(_fresh)
    for template in sorted(TEMPLATES.iterdir()):
        content = PLACEHOLDER.sub(lambda found: secret(found[0], found[1]), template.read_text(encoding="utf-8"))
        path = folder / template.name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
    # Mounted into a container whose user is not ours; on the host the folder keeps others out.
    (folder / "directory.yaml").chmod(0o644)


def _fresh(_placeholder: str, kind: str) -> str:
    """A password has three kinds of characters, as those of people have to, and none that an address would not hold."""
    return f"A-{secrets.token_hex(24)}" if kind == "password" else b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 deploy/fill_in.py FOLDER")
    try:
        fill_in(Path(sys.argv[1]))
    except FileExistsError:
        sys.exit(f"{sys.argv[1]} is there already; its secrets stay as they are.")
