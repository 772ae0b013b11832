"""The sample loads into the service, photographs and all, and a second load changes nothing."""

import asyncio
from datetime import date

import httpx
import pytest

from kehu.sample.customers import RECIPES, sample_customers
from kehu.sample.load import load
from kehu.sample.shop_front import HEIGHT, WIDTH
from services.customer.photo.rules import PNG, Picture, examine
from tests.customer.file.test_keys import erase
from tests.factories.customer import RunningCustomer
from tests.factories.pictures import png

DAY = date(2026, 11, 24)


async def _load(service: RunningCustomer) -> None:
    """Load from outside, as the supervisor does."""
    token = service.issuer.token("dept", ["department_manager"], "sales", ["east", "west"])
    done: list[int] = []
    await asyncio.to_thread(load, str(service.http.base_url), token, DAY, lambda: done.append(1))
    assert len(done) == RECIPES["count"]


async def _versions(service: RunningCustomer) -> dict[str, int]:
    """Version by id of those with a photograph."""
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT id, version FROM customer WHERE values ? 'shop_photo'")
    return {str(row["id"]): row["version"] for row in rows}


async def _replace(service: RunningCustomer, customer: str) -> httpx.Response:
    headers = service.as_("department_manager", units=["east", "west"])
    path = f"/v1/customers/{customer}/photos/shop_photo"
    return await service.http.put(path, content=png(1000), headers={**headers, "If-Match": '"2"'})


def test_some_sample_customers_have_pictures_of_their_own() -> None:
    pictures = [picture for each in sample_customers(DAY) for picture in each.photographs.values()]
    assert len(set(pictures)) == len(pictures) == RECIPES["photographs"]["count"]
    assert {examine(picture) for picture in pictures} == {Picture(PNG, WIDTH, HEIGHT)}


@pytest.mark.slow
@pytest.mark.req("R1.6")
async def test_a_second_load_changes_nothing_and_leaves_what_people_did(service: RunningCustomer) -> None:
    await _load(service)
    loaded = await _versions(service)
    assert list(loaded.values()) == [2] * RECIPES["photographs"]["count"]
    assert len(await service.outbox("customer.changed")) == len(loaded)
    replaced, erased, *_ = loaded
    assert (await _replace(service, replaced)).headers["etag"] == '"3"'
    assert (await erase(service, erased)).status_code == 204
    await _load(service)
    assert await _versions(service) == {**loaded, replaced: 3, erased: 3}
