"""Settings that cannot work are refused at start."""

import pytest
from pydantic import ValidationError

from tests.factories.identity import KEK, settings_of


@pytest.mark.parametrize("kek", ["", "k1:", "k1:AAAA", "k1:not base64", KEK.replace("k1:", "k1")])
def test_a_key_ring_that_is_none_is_refused(kek: str) -> None:
    with pytest.raises(ValidationError):
        settings_of("postgresql://nowhere", kek=kek)


def test_secrets_do_not_show() -> None:
    assert KEK.partition(":")[2] not in repr(settings_of("postgresql://nowhere"))
