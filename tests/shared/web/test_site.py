"""Only addresses of the site are gone on to; only this browser's forms count."""

import pytest

from shared.web.site import form_key, is_own_form, local_path, page_of, with_query

pytestmark = pytest.mark.req("R4.5")


@pytest.mark.parametrize(
    "path", ["/", "/entries?subject=customer%2F1&type=", "/customers/1#item-a", "/sign-in?request=x"]
)
def test_addresses_of_this_site_are_gone_on_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "entries", "//evil.example", "/\\evil.example", "https://evil.example", "/a\\b", "/a b", "/a\n"),
        *("/a\r\nb", "/\x7f", "/" * 3000, "/" + "a" * 2000),
    ],
)
def test_all_others_lead_to_where_the_site_starts(path: str | None) -> None:
    assert local_path(path) == "/"
    assert local_path(path, "/account") == "/account"


def test_a_form_key_belongs_to_one_browser() -> None:
    assert is_own_form("a", form_key("a"))
    assert not is_own_form("b", form_key("a"))
    assert not is_own_form("a", None)
    assert not is_own_form("a", "ä")
    assert not is_own_form("\udc80", "\udc80")


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("https://console.example/customers?name=a", "/customers?name=a"),
        ("https://console.example", "/"),
        ("", "/"),
        ("https://evil.example//evil.example/", "/"),
        ("http://[", "/"),
    ],
)
def test_the_page_that_a_form_was_on_is_one_of_this_site(referer: str, page: str) -> None:
    assert page_of(referer) == page


def test_addresses_leave_out_what_is_not_given() -> None:
    assert with_query("/entries", subject="customer/1", type=None, actor="") == "/entries?subject=customer%2F1"
    assert with_query("/sign-in", request="a&b=c d") == "/sign-in?request=a%26b%3Dc%20d"
    assert with_query("/entries") == "/entries"
