"""Webhooks as admins set them up: made, changed, tried and deleted; a secret is shown once, when it is made."""

import secrets
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace
from yarl import URL

from scoreboard.audit import Audit
from scoreboard.clock import DAY, Clock
from scoreboard.errors import BadRequest, Conflict, NotFound
from scoreboard.events import MAX_WEBHOOKS, Arrears, Webhook
from scoreboard.model import AuditEntry
from scoreboard.storage.base import Storage
from scoreboard.webhooks.post import is_public
from scoreboard.webhooks.signing import new_secret
from scoreboard.wire import (
    ChangeWebhook,
    DeliveriesOut,
    DeliveryList,
    NewWebhook,
    WebhookOut,
    WebhooksOut,
    delivery_out,
    webhook_out,
)

OLD_SECRET_SIGNS = DAY
"""How long a secret that was replaced signs beside the new one."""

Write = Callable[[Sequence[AuditEntry]], Awaitable[bool]]
"""Changes a webhook and writes audit entries with that; False where there is none."""


class Webhooks:
    """Keeps webhooks; to `private` addresses only if that is allowed. Who acts is an `actor` of the audit trail."""

    def __init__(self, storage: Storage, audit: Audit, clock: Clock, *, private: bool) -> None:
        self._storage = storage
        self._audit = audit
        self._clock = clock
        self._private = private

    async def list(self) -> WebhooksOut:
        """All webhooks, oldest first."""
        arrears = await self._storage.arrears()
        found = await self._storage.webhooks()
        return WebhooksOut(webhooks=tuple(webhook_out(each, arrears.get(each.id, Arrears())) for each in found))

    async def create(self, asked: NewWebhook, actor: str) -> WebhookOut:
        """A new webhook and its secret. Raises BadRequest for an address that cannot be told, Conflict for too many."""
        self._check(asked.url)
        now, events = self._clock.now(), tuple(dict.fromkeys(asked.events))
        webhook = Webhook(
            secrets.token_hex(6), asked.url, events, asked.board, True, now, new_secret(), None, None, now
        )
        entry = self._audit.entry("webhook.create", actor, webhook.id, **_told(webhook))
        stored = await self._audit.within(
            [entry], lambda entries: self._storage.add_webhook(webhook, MAX_WEBHOOKS, entries), written=bool
        )
        if not stored:
            raise Conflict(f"There may be {MAX_WEBHOOKS} webhooks.")
        return webhook_out(webhook, Arrears(), webhook.secret)

    async def change(self, asked: ChangeWebhook, actor: str) -> WebhookOut:
        """Have a webhook ask for something else, or elsewhere. Raises NotFound, BadRequest as `create` does."""
        self._check(asked.url)
        before = await self._get(asked.webhook_id)
        events = tuple(dict.fromkeys(asked.events))
        since = before.since if _asked_for_ends(before, asked.board) else self._clock.now()
        changed = replace(before, url=asked.url, events=events, board=asked.board, enabled=asked.enabled, since=since)
        await self._store(
            "webhook.change", changed, actor, lambda entries: self._storage.change_webhook(changed, entries)
        )
        return await self._out(changed)

    async def rotate(self, webhook_id: str, actor: str) -> WebhookOut:
        """Give a webhook a new secret; the old one signs beside it for a day. Raises NotFound."""
        webhook, secret, until = await self._get(webhook_id), new_secret(), self._clock.now() + OLD_SECRET_SIGNS
        await self._store(
            "webhook.rotate",
            webhook,
            actor,
            lambda entries: self._storage.rotate_webhook(webhook_id, secret, until, entries),
        )
        return replace(await self._out(webhook), secret=secret)

    async def delete(self, webhook_id: str, actor: str) -> None:
        """Forget a webhook, and what it was still to be told. Raises NotFound."""
        deleted = await self._audit.within(
            [self._audit.entry("webhook.delete", actor, webhook_id)],
            lambda entries: self._storage.delete_webhook(webhook_id, entries),
            written=bool,
        )
        if not deleted:
            raise NotFound("There is no such webhook.")

    async def test(self, webhook_id: str) -> None:
        """Send a webhook something that nothing else sends. Raises NotFound, Conflict for one that is not enabled."""
        if not (await self._get(webhook_id)).enabled:
            raise Conflict("This webhook is not enabled.")
        await self._storage.queue_test(webhook_id, self._clock.now())

    async def deliveries(self, asked: DeliveryList) -> DeliveriesOut:
        """What a webhook was told of late, and how that went, newest first. Raises NotFound."""
        await self._get(asked.webhook_id)
        found = await self._storage.deliveries(asked.webhook_id, asked.limit)
        return DeliveriesOut(deliveries=tuple(map(delivery_out, found)))

    async def _get(self, webhook_id: str) -> Webhook:
        for webhook in await self._storage.webhooks():
            if webhook.id == webhook_id:
                return webhook
        raise NotFound("There is no such webhook.")

    async def _store(self, act: str, webhook: Webhook, actor: str, write: Write) -> None:
        entry = self._audit.entry(act, actor, webhook.id, **_told(webhook))
        if not await self._audit.within([entry], write, written=bool):
            raise NotFound("There is no such webhook.")

    async def _out(self, webhook: Webhook) -> WebhookOut:
        return webhook_out(webhook, (await self._storage.arrears()).get(webhook.id, Arrears()))

    def _check(self, text: str) -> None:
        try:
            url = URL(text)
        except ValueError:
            raise BadRequest("url: this is no address.") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise BadRequest("url: this is no address.")
        if url.user is not None or url.password is not None or url.fragment:
            raise BadRequest("url: an address without a user, a password and a fragment is wanted.")
        if not self._private and not is_public(url.host):
            raise BadRequest("url: only public addresses are allowed here; see webhooks.private_addresses.")


def _asked_for_ends(webhook: Webhook, board: str | None) -> bool:
    """Whether it is told already when periods of a board, or of all, end."""
    return webhook.enabled and "period.finalized" in webhook.events and webhook.board in (None, board)


def _told(webhook: Webhook) -> dict[str, object]:
    """What the audit trail keeps; the rest of an address may be a secret."""
    host = URL(webhook.url).host
    return {"host": host, "events": webhook.events, "board": webhook.board, "enabled": webhook.enabled}
