"""What the customer service can be told, and what it refuses to start with."""

import pytest
from pydantic import ValidationError

from tests.factories.customer import KEK, settings_of


def test_keys_do_not_show_in_what_is_printed() -> None:
    settings = settings_of("postgresql://role:secret@host/customer")
    assert KEK.partition(":")[2] not in repr(settings)
    assert "secret@" not in repr(settings)


@pytest.mark.parametrize("kek", ["", "k1", "k1:AAAA", "k1:not base64 at all!"])
def test_a_service_without_usable_keys_does_not_start(kek: str) -> None:
    with pytest.raises(ValidationError):
        settings_of("postgresql://host/customer", kek=kek)


@pytest.mark.parametrize("url", ["clamd:3310", "tcp://clamd", "http://clamd:3310", "unix://var/run/clamd", "unix:"])
def test_a_scanner_has_an_address_that_can_be_asked(url: str) -> None:
    with pytest.raises(ValidationError, match="tcp://host:port or unix:///path"):
        settings_of("postgresql://host/customer", scanner_url=url)
    assert settings_of("postgresql://host/customer", scanner_url="tcp://clamd:3310").scanner_url == "tcp://clamd:3310"


def test_a_storage_of_files_has_a_folder() -> None:
    with pytest.raises(ValidationError, match="CUSTOMER_STORAGE_FOLDER"):
        settings_of("postgresql://host/customer", storage="files")
