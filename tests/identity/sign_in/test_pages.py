"""What holds for every page of the sign-in site: both languages, labels, nothing foreign, nothing kept."""

import re
import string
from pathlib import Path

import yaml

from services.identity.account import errors as account_errors
from services.identity.sign_in import pages
from services.identity.sign_in.pages import TEXTS
from shared.web.texts import Texts, read_texts
from tests.factories.identity import PASSWORD, RunningIdentity

TEMPLATES = sorted((Path(pages.__file__).parent / "templates").glob("*.html"))
CATALOGUES = {language: read_texts(TEXTS, language) for language in ("zh", "en")}
_ASKED = re.compile(r'\bt\("([a-z_.]+)"')
_CHOSEN = re.compile(r'\bt\("([a-z_.]+)" if \w+ else "([a-z_.]+)"')


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_slots() -> None:
    zh, en = CATALOGUES["zh"], CATALOGUES["en"]
    assert zh.keys() == en.keys()
    assert [key for key in zh if slots(zh[key]) != slots(en[key])] == []
    assert [key for key, text in zh.items() if text == en[key]] == []


def test_every_text_is_asked_for_and_every_text_that_is_asked_for_exists() -> None:
    asked: set[str] = set()
    for path in TEMPLATES:
        source = path.read_text("utf-8")
        asked |= {*_ASKED.findall(source), *(key for pair in _CHOSEN.findall(source) for key in pair)}
    known = {key for key in CATALOGUES["zh"] if not key.startswith("fault.")}
    assert asked - {"fault."} == known


def test_every_fault_that_a_form_may_have_is_worded() -> None:
    source = Path(account_errors.__file__).with_name("rules.py").read_text("utf-8")
    source += Path(account_errors.__file__).read_text("utf-8")
    source += Path(account_errors.__file__).with_name("service.py").read_text("utf-8")
    codes = set(re.findall(r'Fault\("/(?:new_password|again|password|code)", "([a-z_]+)"', source))
    assert {f"fault.{code}" for code in codes} == {key for key in CATALOGUES["zh"] if key.startswith("fault.")}


def test_no_template_holds_script_or_style_of_its_own_or_switches_escaping_off() -> None:
    foreign = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|javascript:|<script|https?://|\|\s*safe|autoescape", re.IGNORECASE
    )
    assert {path.name: found for path in TEMPLATES if (found := foreign.findall(path.read_text("utf-8")))} == {}


def test_every_form_carries_the_key_of_its_browser_and_every_field_a_label() -> None:
    for path in TEMPLATES:
        source = path.read_text("utf-8")
        assert source.count("<form") == source.count("{{ key() }}"), path.name
        fields = set(re.findall(r'<input id="(\w+)"', source))
        assert fields == set(re.findall(r'<label for="(\w+)"', source)), path.name


async def test_the_language_is_the_browser_s_until_another_is_chosen(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        for accepted, heading, tag in (("zh-CN,zh;q=0.9", "登录", "zh-CN"), ("fr", "Sign in", "en")):
            page = await browser.http.get("/sign-in", headers={"Accept-Language": accepted})
            assert f"<h1>{heading}</h1>" in page.text
            assert page.headers["content-language"] == tag
            assert f'<html lang="{tag}">' in page.text
        asked = await browser.ask()
        address = str(asked.url).removeprefix(str(browser.http.base_url).rstrip("/"))
        page = await browser.follow(await browser.http.get("/language/zh", params={"next": address}))
        assert page.url == asked.url
        page = await browser.submit(page, name="staff", password="wrong password")
        assert (page.status_code, "登录失败" in page.text) == (401, True)
        back = re.search(r'href="/language/en\?next=([^"]+)"', page.text)
        assert back is not None
        assert "request%3D" in back[1]
        assert (await browser.http.get("/language/fr")).status_code == 404


async def test_refusals_are_in_words_and_in_the_summary_of_errors(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        page = await browser.submit(await browser.ask(), name="staff", password="wrong password")
        assert 'role="alert"' in page.text
        assert "<title>Error: " in page.text
        assert page.text.count('aria-invalid="true" aria-describedby="problem"') == 2
        assert 'value="staff"' in page.text
        assert "wrong password" not in page.text
        for path in ("/invitation/no-such-code", "/static/no-such-file"):
            page = await browser.http.get(path)
            assert page.status_code == 404
            assert 'role="alert"' in page.text


async def test_assets_are_kept_by_browsers_until_they_change(identity: RunningIdentity) -> None:
    page = await identity.http.get("/sign-in")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        answer = await identity.http.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_whoever_is_signed_in_sees_their_sign_ins_and_ends_them(identity: RunningIdentity) -> None:
    async with identity.browser() as browser, identity.browser() as another:
        await browser.sign_in("staff", PASSWORD)
        await another.sign_in("staff", PASSWORD)
        page = await browser.http.get("/account")
        ends = re.findall(r'action="(/account/sessions/[^"]+/end)"', page.text)
        assert len(ends) == 2
        assert page.text.count("this browser") == 1
        form_key = re.search(r'name="form_key" value="(\w+)"', page.text)
        assert form_key is not None
        newest = ends[0]
        answer = await browser.http.post(newest, data={"form_key": form_key[1]})
        assert answer.headers["location"] == "/account"
        assert (await another.follow(await another.http.get("/account"))).url.path == "/sign-in"
        asked = await browser.http.get("/sign-out")
        gone = await browser.submit(asked)
        assert "You are signed out" in gone.text
        assert (await browser.follow(await browser.http.get("/account"))).url.path == "/sign-in"


def test_the_catalogues_are_plain_yaml_with_no_key_twice() -> None:
    for language in CATALOGUES:
        for path in (TEXTS / language).glob("*.yaml"):
            keys = re.findall(r"^(\w+):", path.read_text("utf-8"), re.MULTILINE)
            assert len(keys) == len(set(keys)) == len(yaml.safe_load(path.read_text("utf-8")))
    assert Texts(TEXTS, "en").has("sign_in.name")
    assert not Texts(TEXTS, "en").has("sign_in.nothing")
