"""The operations of webhooks: a part of the one table."""

from typing import Any

from scoreboard import wire
from scoreboard.api.call import Call
from scoreboard.api.context import Context
from scoreboard.api.operation import Operation


async def _webhooks(context: Context, call: Call, _: wire.Nothing) -> wire.WebhooksOut:
    """All webhooks, and how their deliveries fare."""
    return await context.webhooks.list()


async def _new_webhook(context: Context, call: Call, asked: wire.NewWebhook) -> wire.WebhookOut:
    """Have an address told of events; the secret that signs them is shown this once."""
    _check_board(context, asked.board)
    return await context.webhooks.create(asked, call.caller.name)


async def _change_webhook(context: Context, call: Call, asked: wire.ChangeWebhook) -> wire.WebhookOut:
    """Have a webhook told of other events, or elsewhere, or of nothing for now."""
    if asked.enabled:  # one whose board was deleted may be switched off
        _check_board(context, asked.board)
    return await context.webhooks.change(asked, call.caller.name)


async def _rotate_webhook(context: Context, call: Call, asked: wire.WebhookRef) -> wire.WebhookOut:
    """Give a webhook a new secret, shown this once; for a day the old one signs beside it."""
    return await context.webhooks.rotate(asked.webhook_id, call.caller.name)


async def _test_webhook(context: Context, call: Call, asked: wire.WebhookRef) -> None:
    """Send a webhook the event `webhook.test`."""
    await context.webhooks.test(asked.webhook_id)


async def _deliveries(context: Context, call: Call, asked: wire.DeliveryList) -> wire.DeliveriesOut:
    """What a webhook was told of late, and how that went, newest first."""
    return await context.webhooks.deliveries(asked)


async def _delete_webhook(context: Context, call: Call, asked: wire.WebhookRef) -> None:
    """Tell an address nothing any more."""
    await context.webhooks.delete(asked.webhook_id, call.caller.name)


def _check_board(context: Context, board: str | None) -> None:
    """Raise NotFound where there is no such board."""
    if board is not None:
        context.boards.get(board)


_WEBHOOK = "admin/webhooks/{webhook_id}"

WEBHOOKS: tuple[Operation[Any, Any], ...] = (
    Operation("webhooks", "GET", "admin/webhooks", wire.Nothing, _webhooks, "admin"),
    Operation("new_webhook", "POST", "admin/webhooks", wire.NewWebhook, _new_webhook, "admin", 201),
    Operation("change_webhook", "PUT", _WEBHOOK, wire.ChangeWebhook, _change_webhook, "admin"),
    Operation("rotate_webhook", "POST", f"{_WEBHOOK}/secret", wire.WebhookRef, _rotate_webhook, "admin"),
    Operation("test_webhook", "POST", f"{_WEBHOOK}/test", wire.WebhookRef, _test_webhook, "admin", 204),
    Operation("webhook_deliveries", "GET", f"{_WEBHOOK}/deliveries", wire.DeliveryList, _deliveries, "admin"),
    Operation("delete_webhook", "DELETE", _WEBHOOK, wire.WebhookRef, _delete_webhook, "admin", 204),
)
"""What admins and keys with their scope may do to webhooks."""
