"""Photographs that move with a merge: sealed anew, the same picture on both sides included."""

from uuid import UUID

import pytest

from services.customer.content.service import Objects
from services.customer.file.keys import Keys
from services.customer.photo.related import RelatedPhotos
from shared.sealing import KeyRing
from tests.customer.photo.test_put import put
from tests.factories.customer import KEK, RunningCustomer
from tests.factories.pictures import photograph, png

pytestmark = pytest.mark.req("R1.6")


def keys_of(service: RunningCustomer) -> Keys:
    """The service's own keys, as its job holds them."""
    [job] = [job for job in service.parts.jobs if job.name == "rewrap_keys_due"]
    return job.due.__self__


async def test_pictures_are_the_other_customers_and_their_values(service: RunningCustomer) -> None:
    source, target = (await service.register())["id"], (await service.register())["id"]
    front = (await put(service, source, 1, png())).json()["id"]
    counter = (await put(service, source, 2, photograph(), "counter_photo")).json()["id"]
    same = (await put(service, target, 1, png())).json()["id"]
    photos = RelatedPhotos(KeyRing.parse(KEK), keys_of(service), Objects(None))
    async with service.database.transaction() as tx:
        records = await photos.move(tx, UUID(source), UUID(target))
    assert sorted(records) == sorted([front, counter])
    for photo, content in ((front, png()), (counter, photograph()), (same, png())):
        assert (await service.get(f"/v1/customers/{target}/photos/{photo}")).content == content
    assert (await service.get(f"/v1/customers/{source}/photos/{front}")).status_code == 404
    assert (await service.patch(target, 2, shop_photo=front, counter_photo=counter)).status_code == 200
    async with service.database.transaction() as tx:
        assert await photos.move(tx, UUID(target), UUID(source), [front]) == [front]
    assert (await service.get(f"/v1/customers/{source}/photos/{front}")).content == png()
    assert (await service.get(f"/v1/customers/{target}/photos/{counter}")).content == photograph()
