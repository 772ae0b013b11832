"""Only addresses of this site are gone on to; only this browser's forms count."""

import pytest

from services.console.session.rules import form_key, is_own_form, local_path, mark_of


@pytest.mark.parametrize("path", ["/", "/entries?subject=customer%2F1&type=", "/customers/1#item-a"])
def test_addresses_of_this_site_are_gone_on_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "entries", "//evil.example", "/\\evil.example", "https://evil.example", "/a\\b", "/a\r\nb", "/" * 3000],
)
def test_all_others_lead_to_the_start_page(path: str | None) -> None:
    assert local_path(path) == "/"


def test_a_form_key_belongs_to_one_browser() -> None:
    assert is_own_form("a", form_key("a"))
    assert not is_own_form("b", form_key("a"))
    assert not is_own_form("a", None)
    assert not is_own_form("a", "ä")
    assert form_key("a") != mark_of("a").hex()
