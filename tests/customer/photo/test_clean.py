"""Pictures as they are kept and shown over HTTP: without places, upright, small if asked for, and never infected."""

import pytest

from tests.customer.photo.test_decoding import opened
from tests.customer.photo.test_put import kept, put
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer
from tests.factories.pictures import PLACE, photograph, png
from tests.fakes import clamd
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R1.6")
INFECTED = png() + clamd.SIGNATURE


async def test_what_was_sent_with_a_place_is_kept_and_shown_without_it(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    sent = photograph(place=True, orientation=6)
    answer = await put(service, customer, 1, sent)
    assert (answer.json()["width"], answer.json()["height"]) == (48, 64)
    shown = await service.get(f"/v1/customers/{customer}/photos/{answer.json()['id']}")
    assert (PLACE in sent, PLACE in shown.content, opened(shown.content).size) == (True, False, (48, 64))
    again = await put(service, customer, 2, sent)
    assert (again.json()["id"], again.headers["etag"], await kept(service)) == (answer.json()["id"], '"2"', 1)


async def test_a_thumbnail_is_small_sealed_and_for_the_same_eyes(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    photo = (await put(service, customer, 1, photograph(size=(1200, 900)), "legal_person_photo")).json()["id"]
    path, before = f"/v1/customers/{customer}/photos/{photo}", len(await service.outbox("access.read"))
    small = await service.get(path, "auditor", size="thumbnail")
    assert (small.status_code, small.headers["content-type"], opened(small.content).size) == (
        200, "image/jpeg", (320, 240),
    )  # fmt: skip
    assert len(await service.outbox("access.read")) == before + 1, "a thumbnail of a classified picture is a reading"
    assert opened((await service.get(path)).content).size == (1200, 900)
    assert (await service.get(path, size="huge")).status_code == 422
    stranger = service.as_("customer_manager", OTHER_UNIT)
    hidden = await service.http.get(path, params={"size": "thumbnail"}, headers=stranger)
    assert hidden.status_code == 404
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT content FROM stored_object")
    assert [len(rows), any(b"JFIF" in row["content"] for row in rows)] == [2, False]


async def test_a_photograph_from_before_thumbnails_shows_itself(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    photo = (await put(service, customer, 1, png())).json()["id"]
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE photo SET thumbnail_id = NULL")
    shown = await service.get(f"/v1/customers/{customer}/photos/{photo}", size="thumbnail")
    assert (shown.content, shown.headers["content-type"]) == (png(), "image/png")


async def test_what_cannot_be_decoded_and_what_has_too_many_pixels_is_not_kept(dsn: str, issuer: Issuer) -> None:
    async with made.running(dsn, issuer, photo_limit_pixels=20_000) as service:
        customer = (await service.register())["id"]
        faults = []
        for content in (png()[:-30], photograph(size=(200, 101))):
            refused = await put(service, customer, 1, content)
            faults.append((refused.status_code, refused.json()["errors"][0]["code"]))
        assert faults == [(422, "undecodable"), (422, "bad_size")]
        assert await kept(service) == 0


async def test_an_infected_picture_is_refused_recorded_and_not_kept(dsn: str, issuer: Issuer) -> None:
    async with (
        clamd.running(daemon := clamd.Clamd()) as url,
        made.running(dsn, issuer, scanner_url=url) as service,
    ):
        assert (await service.http.get("/readyz")).json()["facts"] == {"scanner": "clamd", "storage": "database"}
        customer = (await service.register())["id"]
        refused = await put(service, customer, 1, INFECTED)
        [fault] = refused.json()["errors"]
        assert (refused.status_code, refused.json()["code"], fault["seen"]) == (422, "infected", clamd.FOUND)
        [(envelope, event)] = await service.outbox("photo.refused")
        assert (envelope.subject, event.item, event.finding, event.size) == (
            f"customer/{customer}", "shop_photo", clamd.FOUND, len(INFECTED),
        )  # fmt: skip
        stranger = service.as_("customer_manager", OTHER_UNIT)
        path, headers = f"/v1/customers/{customer}/photos/shop_photo", {**stranger, "If-Match": '"1"'}
        hidden = await service.http.put(path, content=INFECTED, headers=headers)
        assert (hidden.status_code, len(await service.outbox("photo.refused"))) == (404, 1)
        assert (await kept(service), (await service.file(customer))["version"]) == (0, 1)
        assert (await put(service, customer, 1, png())).status_code == 200
        assert daemon.streams[-1] == png()


async def test_nothing_is_kept_while_the_scanner_is_away(dsn: str, issuer: Issuer) -> None:
    async with made.running(dsn, issuer, scanner_url="unix:///nowhere/clamd") as service:
        customer = (await service.register())["id"]
        refused = await put(service, customer, 1, png())
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            503, "scanner_away", "5",
        )  # fmt: skip
        assert (await kept(service), (await service.file(customer))["version"]) == (0, 1)
