"""Customer files over the page: listed, shown, changed; clashes as three values; an outage is said in words."""

import re

import pytest

from services.console.customer.rules import grouped, read_value
from tests.factories.console import RunningConsole
from tests.factories.customer import RunningCustomer

_ETAG = re.compile(r'name="etag" value="([^"]+)"')


@pytest.mark.req("R1.1")
async def test_customers_are_listed_within_ones_reach_and_filtered(
    beside: RunningConsole, files: RunningCustomer
) -> None:
    await files.register(shop_name="甲示例店")
    await files.register(shop_name="乙示例店")
    await beside.sign_in("department_manager", "zh-CN")
    page = await beside.page("/customers")
    assert "甲示例店" in page
    assert "乙示例店" in page
    page = await beside.page("/customers", name="甲")
    assert "乙示例店" not in page
    await beside.sign_in("department_manager", unit="unit-2")
    assert "No customer fits" in await beside.page("/customers")


@pytest.mark.req("R1.1")
async def test_a_file_shows_items_by_group_with_who_set_them(beside: RunningConsole, files: RunningCustomer) -> None:
    customer = await files.register()
    await files.patch(customer["id"], 1, contact_phone="13811112222")
    await beside.sign_in("department_manager")
    page = await beside.page(f"/customers/{customer['id']}")
    assert "Contact phone" in page
    assert "13811112222" in page
    assert "set by staff/department_manager" in page
    assert "items without a value" in page
    history = page[page.index('id="history"') :]
    assert "13900000000" in history
    assert "Not graded yet." in page or 'class="grade"' in page
    await beside.sign_in("department_manager", "zh-CN")
    assert "联系电话" in await beside.page(f"/customers/{customer['id']}")


@pytest.mark.req("R2.2")
async def test_an_item_above_ones_clearance_is_named_not_shown(beside: RunningConsole, files: RunningCustomer) -> None:
    customer = await files.register()
    await beside.sign_in("admin")
    await beside.page(f"/customers/{customer['id']}", 403)
    await beside.sign_in("department_manager", unit="unit-2")
    await beside.page(f"/customers/{customer['id']}", 404)


async def test_one_item_is_changed_by_its_form(beside: RunningConsole, files: RunningCustomer) -> None:
    customer = await files.register()
    await beside.sign_in("department_manager")
    form = f"/customers/{customer['id']}/items/contact_phone"
    page = await beside.page(form)
    assert 'value="13900000000"' in page
    answer = await beside.submit(form, form, value="13811112222", etag=_ETAG.findall(page)[0].replace("&#34;", '"'))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/customers/{customer['id']}#item-contact_phone",
    )
    assert (await files.file(customer["id"]))["values"]["contact_phone"]["value"] == "13811112222"


@pytest.mark.req("R0.2")
async def test_a_clash_shows_three_values_and_the_next_try_decides(
    beside: RunningConsole, files: RunningCustomer
) -> None:
    customer = await files.register()
    await beside.sign_in("department_manager")
    form = f"/customers/{customer['id']}/items/contact_phone"
    await files.patch(customer["id"], 1, contact_phone="13822223333")
    answer = await beside.submit(form, form, value="13811112222", etag='"1"')
    assert answer.status_code == 412
    shown = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", answer.text)
    assert shown == [
        ("When you opened the page", "13900000000"),
        ("Now", "13822223333"),
        ("Yours", "13811112222"),
    ]
    etag = _ETAG.findall(answer.text)[0].replace("&#34;", '"')
    assert (await beside.submit(form, form, value="13811112222", etag=etag)).status_code == 303
    assert (await files.file(customer["id"]))["values"]["contact_phone"]["value"] == "13811112222"


async def test_a_value_that_does_not_fit_is_explained_and_kept_in_the_form(
    beside: RunningConsole, files: RunningCustomer
) -> None:
    customer = await files.register()
    await beside.sign_in("department_manager")
    form = f"/customers/{customer['id']}/items/contact_phone"
    answer = await beside.submit(form, form, value="no phone at all", etag='"1"')
    assert answer.status_code == 422
    assert 'value="no phone at all"' in answer.text
    assert 'role="alert"' in answer.text
    assert (await beside.submit(form, form, value="", etag='"1"')).status_code == 422, "required items stay"


async def test_what_a_person_writes_is_never_markup(beside: RunningConsole, files: RunningCustomer) -> None:
    customer = await files.register(shop_name="<script>alert(1)</script>")
    await beside.sign_in("department_manager")
    for path in ("/customers", f"/customers/{customer['id']}"):
        page = await beside.page(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


async def test_an_item_that_no_dictionary_has_is_not_there(beside: RunningConsole, files: RunningCustomer) -> None:
    customer = await files.register()
    await beside.sign_in("department_manager")
    await beside.page(f"/customers/{customer['id']}/items/no_such_item", 404)


async def test_a_silent_customer_service_is_said_in_words(alone: RunningConsole) -> None:
    await alone.sign_in("department_manager")
    assert "The customer service does not answer" in await alone.page("/customers")
    page = await alone.page("/customers/01939d5e-7a3c-7b21-9c55-0f6b5d3a8e10", 503)
    assert "The customer service does not answer" in page


def test_values_without_an_item_are_shown_last() -> None:
    items = [{"code": "a", "label": {"zh": "甲", "en": "A"}, "group": "g"}]
    dictionary = {"groups": [{"id": "g", "label": "G"}], "items": items}
    [(first, [a]), (other, [b])] = grouped(dictionary, {"b": {"value": 1}}, ["a"])
    assert (first["id"], a.withheld, a.may_be_set, other["id"], b.is_kept) == ("g", True, False, "other", True)
    assert [group["id"] for group, _ in grouped(None, {"b": {"value": 1}}, [])] == ["other"]


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "", None),
        ("boolean", "x", "x"),
        ("text", " a ", "a"),
        ("text", " ", None),
    ],
)
def test_what_is_written_becomes_a_value(kind: str, written: str, value: object) -> None:
    assert read_value({"type": kind}, written) == value
