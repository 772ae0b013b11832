"""Where codes may go, and what a client may be entered as."""

import pytest

from services.identity.client.rules import Client, Entry, Kind, faults_of, fits, hash_of, is_made, is_uri, new_secret

URIS = ("https://site.example/back?x=1", "http://127.0.0.1/done", "http://[::1]:80/", "http://localhost/l")
IN, OUT = Client("app", Kind.APP, redirect_uris=URIS), Client("app", Kind.APP, sign_out_uris=URIS)


@pytest.mark.req("R0.4")
@pytest.mark.parametrize(
    "uri",
    [
        "https://site.example/back?x=1",
        "http://127.0.0.1/done",
        "http://127.0.0.1:49152/done",
        "http://[::1]:5000/",
        "http://[::1]/",
        "http://localhost/l",
    ],
)
def test_a_registered_address_is_good_and_on_loopback_with_any_port(uri: str) -> None:
    assert IN.sends_back_to(uri) and OUT.lets_go_to(uri)
    assert not IN.lets_go_to(uri) and not OUT.sends_back_to(uri)


@pytest.mark.req("R0.4")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://site.example/back",
        "https://site.example/back?x=1&y=2",
        "https://site.example/back?x=1#f",
        "https://site.example/back/?x=1",
        "https://site.example:443/back?x=1",
        "https://SITE.example/back?x=1",
        "http://site.example/back?x=1",
        "https://site.example@evil.example/back?x=1",
        "https://site.example.evil.example/back?x=1",
        "http://127.0.0.1:80/",
        "http://127.0.0.1:49152/done/../evil",
        "http://127.0.0.1:49152@evil.example/done",
        "http://127.0.0.1:49152.evil.example/done",
        "http://user@127.0.0.1/done",
        "http://127.0.0.1:x/done",
        "http://127.0.0.1:99999999/done",
        "https://127.0.0.1:49152/done",
        "http://127.0.0.1:49152/done?x",
        "http://127.0.0.1:49152/done\n",
        "http://127.0.0.1:49152\\@evil.example/done",
        "http://localhost:3000/l",
        "http://0177.0.0.1/done",
        "javascript:alert(1)",
        "//127.0.0.1/done",
    ],
)
def test_any_other_address_is_refused(uri: str) -> None:
    assert not IN.sends_back_to(uri) and not OUT.lets_go_to(uri)


def test_an_address_holds_only_characters_that_an_address_may_hold() -> None:
    assert is_uri("https://site.example/%E4%B8%AD?x=[1]")
    for uri in ("", "https://site.example/中", "https://site.example/ x", 'https://site.example/"', "x" * 401):
        assert not is_uri(uri)


TITLE = {"zh": "示例", "en": "Example"}


@pytest.mark.parametrize(
    ("entry", "faults"),
    [
        (Entry("a", Kind.APP, TITLE, redirect_uris=("https://a.example/", "http://127.0.0.1/")), []),
        (Entry("a", Kind.APP, TITLE), ["/redirect_uris"]),
        (Entry("a", Kind.APP, TITLE, unit="hq", redirect_uris=("http://a.example/",)), ["/redirect_uris/0", "/roles"]),
        (
            Entry("a", Kind.APP, TITLE, redirect_uris=("https://a.example/#x", "myapp:/x")),
            ["/redirect_uris/0", "/redirect_uris/1"],
        ),
        (Entry("a", Kind.APP, TITLE, redirect_uris=("https://u@a.example/",)), ["/redirect_uris/0"]),
        (Entry("a", Kind.PARTNER, TITLE, unit="hq", roles=("partner_reporter",)), []),
        (Entry("a", Kind.PARTNER, TITLE, roles=("nobody",)), ["/unit", "/roles/0"]),
        (
            Entry("a", Kind.SERVICE, TITLE, unit="nowhere", redirect_uris=("https://a.example/",)),
            ["/unit", "/redirect_uris"],
        ),
        (
            Entry("a", Kind.APP, TITLE, redirect_uris=("https://a.example/",), sign_out_uris=("x",)),
            ["/sign_out_uris/0"],
        ),
    ],
)
def test_an_entry_is_told_everything_that_is_wrong_with_it(entry: Entry, faults: list[str]) -> None:
    assert [each.pointer for each in faults_of(entry, {"partner_reporter"}, {"hq"})] == faults


def test_a_made_secret_is_long_and_fits_its_hash_alone() -> None:
    secret = new_secret()
    assert len(secret) >= 43
    assert is_made(hash_of(secret))
    assert fits(hash_of(secret), secret)
    assert not fits(hash_of(secret), secret[:-1])
    assert not is_made("$argon2id$v=19$…")
