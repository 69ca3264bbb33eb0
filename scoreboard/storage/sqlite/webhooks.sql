-- The statements of webhooks and their deliveries.

-- name: webhooks
-- All webhooks, to tell or to list them.
SELECT id, url, events, board, enabled, since, secret, previous_secret, previous_until, created_at FROM webhooks
ORDER BY created_at, id;

-- name: add_webhook
-- Store a webhook, if there is room for one more.
INSERT INTO webhooks (id, url, events, board, enabled, since, secret, previous_secret, previous_until, created_at)
SELECT :id, :url, :events, :board, :enabled, :since, :secret, :previous_secret, :previous_until, :created_at
WHERE (SELECT count(*) FROM webhooks) < :most;

-- name: change_webhook
-- Replace what a webhook asks for.
UPDATE webhooks SET url = :url, events = :events, board = :board, enabled = :enabled, since = :since WHERE id = :id;

-- name: rotate_webhook
-- Replace what signs a webhook's messages.
UPDATE webhooks SET secret = :secret, previous_secret = secret, previous_until = :until WHERE id = :id;

-- name: delete_webhook
-- Forget a webhook.
DELETE FROM webhooks WHERE id = :id;

-- name: delete_deliveries
-- Forget what a webhook that goes was to be told.
DELETE FROM webhook_deliveries WHERE webhook_id = :id;

-- name: unfinalized
-- Which of some periods nobody was told the end of.
SELECT wanted.value ->> 0, wanted.value ->> 1, wanted.value ->> 2 FROM json_each(:periods) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM finalized
    WHERE board = wanted.value ->> 0 AND window = wanted.value ->> 1 AND period = wanted.value ->> 2
);

-- name: claim_finalized
-- Be the one to tell of a period's end.
INSERT INTO finalized (board, window, period, at) VALUES (:board, :window, :period, :now) ON CONFLICT DO NOTHING;

-- name: tell_finalized
-- Tell those of a period's end who asked for it when it came.
INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at)
SELECT id, 'period.finalized', :now, :data, :now FROM webhooks
WHERE enabled AND since < :ends_at AND (board IS NULL OR board = :board)
    AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = 'period.finalized');

-- name: queue_test
-- Have one webhook tried.
INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at) VALUES (:id, 'webhook.test', :now, '{}', :now);

-- name: any_due
-- Whether there is anything to take.
SELECT EXISTS (
    SELECT 1 FROM webhooks CROSS JOIN webhook_deliveries ON webhook_id = webhooks.id
    WHERE enabled AND state = 'pending' AND due_at <= :now
);

-- name: take_deliveries
-- What is due, some of each webhook, moved on so that nobody else takes it.
UPDATE webhook_deliveries SET due_at = :until, attempts = attempts + 1
WHERE id IN (
    SELECT due.value FROM webhooks CROSS JOIN json_each((
        SELECT json_group_array(id) FROM (
            SELECT id FROM webhook_deliveries
            WHERE webhook_id = webhooks.id AND state = 'pending' AND due_at <= :now ORDER BY due_at LIMIT :each
        )
    )) AS due
    WHERE enabled AND webhooks.id NOT IN (SELECT value FROM json_each(:busy))
)
RETURNING id, webhook_id, event, at, data, attempts,
    (SELECT url FROM webhooks WHERE webhooks.id = webhook_id),
    (SELECT secret FROM webhooks WHERE webhooks.id = webhook_id),
    (SELECT previous_secret FROM webhooks WHERE webhooks.id = webhook_id AND previous_until > :now);

-- name: settle_delivery
-- Note what came of a delivery; what it told is forgotten once it is done.
UPDATE webhook_deliveries
SET state = :state, due_at = :due_at, status = :status, error = :error, data = iif(:state = 'pending', data, '{}')
WHERE id = :id AND state = 'pending' AND (:state = 'delivered' OR attempts = :attempts);

-- name: deliveries
-- A webhook's newest deliveries.
SELECT id, event, at, state, attempts, due_at, status, error FROM webhook_deliveries
WHERE webhook_id = :webhook_id ORDER BY at DESC, id DESC LIMIT :limit;

-- name: arrears
-- How many deliveries of each webhook wait or were given up.
SELECT id,
    (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = webhooks.id AND state = 'pending'),
    (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = webhooks.id AND state = 'failed')
FROM webhooks;

-- name: forget_deliveries
-- Forget some deliveries that were done long ago, or that nobody asks for.
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries
    WHERE due_at < :before AND (
        state <> 'pending' OR NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = webhook_id AND enabled)
    )
    ORDER BY due_at LIMIT :limit
);

-- name: forget_finalized
-- Forget that periods were finalized which nobody looks at any more.
DELETE FROM finalized WHERE (board, window, period) IN (
    SELECT board, window, period FROM finalized WHERE at < :before ORDER BY at LIMIT :limit
);

-- name: names
-- What some players are called.
SELECT id, name FROM players WHERE id IN (SELECT value FROM json_each(:ids));
