"""The log over HTTP, checked as an outside tool would: from checkpoint, tiles and proofs alone."""

import pytest

from services.audit.log import tree
from services.audit.log.note import Checkpoint, open_note
from services.audit.log.tiles import unpack
from tests.factories.audit import RunningAudit, append, changes, publish


@pytest.mark.req("R0.2")
async def test_a_mirror_rebuilds_the_signed_root_from_the_tiles(service: RunningAudit) -> None:
    await append(service.database, *changes(300))
    await publish(service.database, service.settings)
    checkpoint_answer = await service.get("/log/checkpoint")
    assert checkpoint_answer.headers["content-type"].startswith("text/plain")
    checkpoint = Checkpoint.parse(open_note(checkpoint_answer.text, service.settings.verifiers).text)
    full, part = await service.get("/log/tile/0/000"), await service.get("/log/tile/0/001.p/44")
    hashes = full.content + part.content
    leaves = [hashes[i : i + 32] for i in range(0, len(hashes), 32)]
    assert tree.append(tree.Frontier(), leaves)[0].root == checkpoint.root
    bundles = [(await service.get(f"/log/tile/entries/{name}")).content for name in ("000", "001.p/44")]
    assert [tree.leaf_hash(leaf) for bundle in bundles for leaf in unpack(bundle)] == leaves
    assert full.headers["content-type"] == "application/octet-stream"
    assert "immutable" in full.headers["cache-control"]


@pytest.mark.req("R0.2")
async def test_an_entry_is_proved_against_the_checkpoint(service: RunningAudit) -> None:
    await append(service.database, *changes(40))
    note = await publish(service.database, service.settings)
    checkpoint = Checkpoint.parse(open_note(note, service.settings.verifiers).text)
    await append(service.database, *changes(5, prefix="later"))
    entry = (await service.get("/v1/entries/17")).json()
    proof = (await service.get("/v1/entries/17/proof", size=checkpoint.size)).json()
    assert proof["leaf_hash"] == entry["leaf_hash"]
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert tree.includes(checkpoint.root, checkpoint.size, 17, bytes.fromhex(proof["leaf_hash"]), path)
    now = (await service.get("/v1/entries/17/proof")).json()
    assert (now["size"], now["index"]) == (45, 17)


async def test_the_tree_is_proved_to_have_only_grown(service: RunningAudit) -> None:
    await append(service.database, *changes(45))
    proof = (await service.get("/v1/consistency", **{"from": 12})).json()
    assert (proof["from"], proof["to"]) == (12, 45)
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert tree.extends(bytes.fromhex(proof["old_root"]), 12, bytes.fromhex(proof["new_root"]), 45, path)


async def test_before_the_first_entry_there_is_no_checkpoint(service: RunningAudit) -> None:
    answer = await service.get("/log/checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_checkpoint")


@pytest.mark.parametrize("path", ["0/005", "0/000", "0/000.p/4", "9/000", "entries/000", "nonsense", "0/0", "../x"])
async def test_what_is_no_tile_yet_is_not_found(service: RunningAudit, path: str) -> None:
    await append(service.database, *changes(3))
    answer = await service.get(f"/log/tile/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v1/entries/3/proof", {}, 404, "entry_not_found"),
        ("/v1/entries/1/proof", {"size": 1}, 422, "size_out_of_range"),
        ("/v1/entries/1/proof", {"size": 4}, 422, "size_out_of_range"),
        ("/v1/entries/1/proof", {"size": "x"}, 422, "invalid_request"),
        ("/v1/entries/99999999999999999999/proof", {}, 422, "invalid_request"),
        ("/v1/consistency", {}, 422, "invalid_request"),
        ("/v1/consistency", {"from": 4}, 422, "size_out_of_range"),
        ("/v1/consistency", {"from": 2, "to": 1}, 422, "size_out_of_range"),
        ("/v1/consistency", {"from": 1, "to": 9}, 422, "size_out_of_range"),
    ],
)
async def test_a_proof_that_cannot_be_is_refused_with_its_reason(
    service: RunningAudit, path: str, query: dict[str, int | str], status: int, code: str
) -> None:
    await append(service.database, *changes(3))
    answer = await service.get(path, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert status == 404 or answer.json()["errors"]


@pytest.mark.parametrize(
    "path", ["/log/checkpoint", "/log/tile/0/000", "/v1/consistency?from=1", "/v1/entries/0/proof"]
)
async def test_nobody_reads_the_log_without_a_token(service: RunningAudit, path: str) -> None:
    assert (await service.http.get(path)).status_code == 401


async def test_proofs_of_entries_are_for_those_who_hold_the_action(service: RunningAudit) -> None:
    await append(service.database, *changes(3))
    refused = await service.get("/v1/entries/1/proof", role="report_entry")
    assert (refused.status_code, refused.json()["action"]) == (403, "entry.prove")
    assert (await service.get("/log/tile/0/000.p/3", role="report_entry")).status_code == 200
