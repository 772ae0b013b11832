"""Use cases of attachments: keep, keep anew, end, list, download. Requirements R5.3, R5.5, R5.7.

Content is judged before the transaction: what it is, whether the scanner knows it, pictures as photographs are. Whoever
changes an attachment holds the file of its customer, so that of two who send the same bytes one finds the other's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.customer.attachment import errors, repository, rules
from services.customer.attachment.repository import Content
from services.customer.attachment.showing import NAME, REASON, Showing
from services.customer.content.errors import infected
from services.customer.content.scanner import Scanner
from services.customer.content.service import Objects
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import Files, reference
from services.customer.photo.decoder import Decoder
from services.customer.photo.rules import examine as examine_picture
from shared.auth import Principal, Sight
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import version_ahead
from shared.errors import Invalid
from shared.events import AttachmentEnded, AttachmentKept, AttachmentRefused, Event
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Attachment, Format, Regimes, Secrecy
from shared.sealing import KeyRing, WrappedKey, to_text

READ, KEEP, END = "attachment.read", "attachment.keep", "attachment.end"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants kept: of which kind, called what, of which level (None: that of the kind)."""

    kind: str
    name: str
    secrecy: Secrecy | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Content that was judged, as it will be kept; `finding` is the name of what the scanner found in it."""

    digest: bytes
    sent: int
    form: Format
    content: bytes
    finding: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """Content, and how it goes out."""

    name: str
    media_type: str
    content: bytes


class Attachments:
    """Keeps and shows attachments."""

    def __init__(
        self, regimes: Regimes, ring: KeyRing, outbox: Outbox, files: Files, keys: Keys, reads: Reads,
        objects: Objects, scanner: Scanner, decoder: Decoder,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._ring = ring
        self._outbox = outbox
        self._files = files
        self._keys = keys
        self._reads = reads
        self._objects = objects
        self._scanner = scanner
        self._decoder = decoder
        self.showing = Showing(regimes, ring)

    async def prepare(self, content: bytes) -> Prepared:
        """Judge content; before any transaction, since it takes its time.

        Raises: UnsupportedMedia (unknown_format), Invalid (unfit_content, bad_picture), Unavailable (scanner_away,
        decoders_busy).
        """
        digest = sha256(content).digest()
        form, kept = await asyncio.to_thread(rules.examine, content)
        media_type = rules.MEDIA[form]
        if form in rules.PICTURES:
            examine_picture(content, self._decoder.pixels)
        finding = await self._scanner.scan(content)
        if finding is None and form in rules.PICTURES:
            kept = (await self._decoder.decode(media_type, content)).content
        return Prepared(digest, len(content), form, kept, finding)

    async def keep(
        self, tx: Transaction, who: Principal, customer_id: UUID, wish: Wish, prepared: Prepared, now: datetime
    ) -> tuple[dict[str, Any], bool] | Invalid:
        """A new attachment, and that it is new; or the one of the kind that holds the same bytes.

        The refusal of infected content is returned, since it is recorded.
        Raises: NotFound, Invalid (bad_attachment), Forbidden (attachment_not_cleared), Conflict (customer_erased,
        customer_merged), Unavailable (storage_away).
        """
        key, sight = await self._hold(tx, who, KEEP, customer_id)
        kind, name = self._judge(wish, prepared.form, now)
        level = wish.secrecy or kind.secrecy
        if not sight.shows(level, kind.field_class):
            raise errors.not_cleared(kind.id)
        if prepared.finding is not None:
            return await self._refuse(tx, who, customer_id, prepared, now)
        row = await repository.find(tx, customer_id, kind.id, prepared.digest)
        if row is not None and sight.shows(Secrecy(row["secrecy"]), kind.field_class):
            return self.showing.view(sight, customer_id, key, row, day_of(now)), False
        attachment_id = new_id()
        await repository.add(tx, attachment_id, customer_id, kind.id, level)
        return await self._add(tx, who, key, sight, customer_id, attachment_id, kind, level, name, prepared, now), True

    async def replace(
        self, tx: Transaction, who: Principal, customer_id: UUID, attachment_id: UUID, base: int, name: str | None,
        prepared: Prepared, now: datetime,
    ) -> dict[str, Any] | Invalid:  # fmt: skip
        """Another content of an attachment that the caller read at version `base`, and perhaps another name.

        The same bytes again change nothing, whatever the version. Raises: as `keep`, Conflict (attachment_ended),
        PreconditionFailed.
        """
        key, sight = await self._hold(tx, who, KEEP, customer_id)
        row, level = await self._found(tx, sight, customer_id, attachment_id, now)
        if row["sha256"] == prepared.digest and row["ended_at"] is None:
            return self.showing.view(sight, customer_id, key, row, day_of(now))
        _require_current(row, base)
        opened = self.showing.opened(key, customer_id, row["event_id"], row["sealed"], NAME)
        kind, name = self._judge(Wish(row["kind"], name or opened or "", level), prepared.form, now)
        if prepared.finding is not None:
            return await self._refuse(tx, who, customer_id, prepared, now)
        return await self._add(tx, who, key, sight, customer_id, attachment_id, kind, level, name, prepared, now)

    async def end(
        self, tx: Transaction, who: Principal, customer_id: UUID, attachment_id: UUID, base: int, reason: str,
        now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Let an attachment hold no more; it stays to be read.

        Raises: NotFound, Forbidden, Conflict (attachment_ended …), PreconditionFailed
        """
        key, sight = await self._hold(tx, who, END, customer_id)
        row, level = await self._found(tx, sight, customer_id, attachment_id, now)
        _require_current(row, base)
        event_id, version = new_id(), await repository.step(tx, attachment_id)
        sealed = self.showing.seal(key, customer_id, event_id, REASON, reason)
        await repository.end(tx, attachment_id, now, who.actor, event_id, sealed)
        event = AttachmentEnded(
            attachment_id=str(attachment_id), customer_id=str(customer_id), version=version, kind=row["kind"],
            secrecy=level, sealed=to_text(sealed),
        )  # fmt: skip
        await self._tell(tx, who, customer_id, event, now, event_id)
        return await self._shown(tx, sight, key, customer_id, attachment_id, now)

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: UUID, limit: int, kind: str | None,
        ended: bool | None, now: datetime,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Attachments of a customer, newest first; that names of classified ones were seen is recorded."""
        _, key, sight = await self._keys.look(tx, who, READ, customer_id)
        rows = await repository.page(tx, customer_id, below, limit, kind, ended)
        await self._note(tx, who, sight, customer_id, rows, now)
        return [self.showing.view(sight, customer_id, key, row, day_of(now)) for row in rows]

    async def history(
        self, tx: Transaction, who: Principal, customer_id: UUID, attachment_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """One attachment with every content that it had. Raises: NotFound, Conflict (customer_erased)"""
        _, key, sight = await self._keys.look(tx, who, READ, customer_id)
        row = await repository.get(tx, customer_id, attachment_id)
        if row is None:
            raise errors.no_such_attachment()
        await self._note(tx, who, sight, customer_id, [row], now)
        versions = await repository.versions(tx, attachment_id)
        return self.showing.view(sight, customer_id, key, row, day_of(now), versions)

    async def download(
        self, tx: Transaction, who: Principal, customer_id: UUID, attachment_id: UUID, version: int | None,
        now: datetime,
    ) -> Download:  # fmt: skip
        """A content of an attachment: that of now, or of a version; of a classified one the reading is recorded.

        Raises: NotFound, Forbidden (attachment_not_cleared), Conflict (customer_erased), Unavailable (storage_away)
        """
        _, key, sight = await self._keys.look(tx, who, READ, customer_id)
        row, _ = await self._found(tx, sight, customer_id, attachment_id, now)
        contents = {each["version"]: each for each in await repository.versions(tx, attachment_id)}
        chosen = contents.get(row["content_version"] if version is None else version)
        if chosen is None:
            raise errors.no_such_attachment()
        sealed, object_id = await self._objects.get(tx, chosen["content_id"]), chosen["content_id"]
        content = self._ring.open_bytes(key, str(customer_id), object_id, sealed)
        await self._note(tx, who, sight, customer_id, [row], now)
        name = self.showing.opened(key, customer_id, chosen["event_id"], chosen["sealed"], NAME) or ""
        return Download(name, rules.MEDIA[Format(chosen["format"])], content)

    async def _hold(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID
    ) -> tuple[WrappedKey, Sight]:  # fmt: skip
        """Key and sight of a file that the caller changes, locked."""
        _, key = await self._keys.hold(tx, who, action, customer_id)
        file = await self._files.reach(tx, who, action, customer_id)
        return key, who.sight(action, file["unit"], file["manager"])

    async def _found(
        self, tx: Transaction, sight: Sight, customer_id: UUID, attachment_id: UUID, now: datetime
    ) -> tuple[Record, Secrecy]:
        """An attachment that the caller is cleared for, and its level."""
        row = await repository.get(tx, customer_id, attachment_id)
        if row is None:
            raise errors.no_such_attachment()
        level = self.showing.level(row, day_of(now))
        if level is None or not sight.shows(*level):
            raise errors.not_cleared(row["kind"])
        return row, level[0]

    def _judge(self, wish: Wish, form: Format, now: datetime) -> tuple[Attachment, str]:
        """The declared kind of a wish that can be, and the name that the content gets."""
        kind, name = self._regimes.find(Attachment, wish.kind, on=day_of(now)), rules.tidy(wish.name)
        faults = list(rules.name_faults(name))
        if kind is None:
            known = [each.id for each in self._regimes.all(Attachment, on=day_of(now))]
            raise errors.bad_attachment([errors.unknown_kind(wish.kind, known), *faults])
        if faults := [*rules.kind_faults(kind, form, wish.secrecy), *faults]:
            raise errors.bad_attachment(faults)
        return kind, rules.named(name, form)

    async def _add(
        self, tx: Transaction, who: Principal, key: WrappedKey, sight: Sight, customer_id: UUID, attachment_id: UUID,
        kind: Attachment, level: Secrecy, name: str, prepared: Prepared, now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Store content, sealed under the customer's key, as the next version; tell of it."""
        object_id, event_id = new_id(), new_id()
        sealed = self._ring.seal_bytes(key, str(customer_id), object_id, prepared.content)
        await self._objects.put(tx, object_id, sealed)
        version, size = await repository.step(tx, attachment_id), len(prepared.content)
        title = self.showing.seal(key, customer_id, event_id, NAME, name)
        content = Content(prepared.form, size, prepared.digest, object_id, event_id, title, now, who.actor)
        await repository.add_version(tx, attachment_id, version, content)
        event = AttachmentKept(
            attachment_id=str(attachment_id), customer_id=str(customer_id), version=version, kind=kind.id,
            secrecy=level, format=prepared.form, size=size, sealed=to_text(title), definition=reference(kind.ref),
        )  # fmt: skip
        await self._tell(tx, who, customer_id, event, now, event_id)
        return await self._shown(tx, sight, key, customer_id, attachment_id, now)

    async def _refuse(
        self, tx: Transaction, who: Principal, customer_id: UUID, prepared: Prepared, now: datetime
    ) -> Invalid:
        """Record that infected content was sent."""
        finding = prepared.finding or ""
        event = AttachmentRefused(customer_id=str(customer_id), finding=finding, size=prepared.sent)
        await self._tell(tx, who, customer_id, event, now, new_id())
        return infected(finding)

    async def _tell(
        self, tx: Transaction, who: Principal, customer_id: UUID, event: Event, now: datetime, event_id: UUID
    ) -> None:
        subject = f"customer/{customer_id}"
        envelope = self._outbox.envelope(
            event, feature="attachment", subject=subject, actor=who.actor, at=now, event_id=event_id
        )
        await self._outbox.add(tx, envelope, event)

    async def _shown(
        self, tx: Transaction, sight: Sight, key: WrappedKey, customer_id: UUID, attachment_id: UUID, now: datetime
    ) -> dict[str, Any]:
        row = await repository.get(tx, customer_id, attachment_id)
        assert row is not None
        return self.showing.view(sight, customer_id, key, row, day_of(now))

    async def _note(
        self, tx: Transaction, who: Principal, sight: Sight, customer_id: UUID, rows: list[Record], now: datetime
    ) -> None:
        """Record which kinds of attachments somebody saw, where they are classified."""
        levels = {row["kind"]: self.showing.level(row, day_of(now)) for row in rows}
        seen = {f"attachment_{kind}": level for kind, level in levels.items() if level and sight.shows(*level)}
        await self._reads.record(tx, who, sight, customer_id, seen, now)


def _require_current(row: Record, base: int) -> None:
    """Whether an attachment goes on and is as it was read."""
    if base > row["version"]:
        raise version_ahead(row["version"])
    if base < row["version"]:
        raise errors.outdated(row["version"])
    if row["ended_at"] is not None:
        raise errors.over()
