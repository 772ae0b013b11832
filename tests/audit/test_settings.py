"""A wrong setting stops the service at once and says what is wrong; secrets stay out of sight."""

import base64

import pytest
from pydantic import ValidationError

from services.audit.log.note import Signer
from services.audit.settings import AuditSettings
from tests.factories import audit

DSN = "postgresql://nowhere.invalid/x"


def test_the_present_key_comes_first_and_former_ones_stay_trusted() -> None:
    former = Signer.of(audit.ORIGIN, b"f" * 32).verifier
    given = {**audit.settings_of(DSN).model_dump(), "former_keys": [str(former)]}
    assert AuditSettings.model_validate(given).verifiers == (audit.settings_of(DSN).signer.verifier, former)


def test_the_signing_key_is_not_shown() -> None:
    assert audit.SEED not in repr(audit.settings_of(DSN))


@pytest.mark.parametrize(
    "wrong",
    [{"checkpoint_seed": "?"}, {"checkpoint_seed": base64.b64encode(b"short").decode()}, {"former_keys": ["x"]},
     {"origin": "two words"}, {"origin": "a+b"}, {"append_batch": 0}, {"checkpoint_every_s": 0}],
)  # fmt: skip
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuditSettings.model_validate({**audit.settings_of(DSN).model_dump(), **wrong})
