-- The statements of webhooks and their deliveries.

-- name: webhooks
-- All webhooks, to tell or to list them.
SELECT id, url, events, board, enabled, microseconds(since), secret, previous_secret, microseconds(previous_until),
    microseconds(created_at)
FROM webhooks ORDER BY created_at, id;

-- name: add_webhook
-- Store a webhook, if there is room for one more.
INSERT INTO webhooks (id, url, events, board, enabled, since, secret, previous_secret, previous_until, created_at)
SELECT %(id)s, %(url)s, %(events)s, %(board)s, %(enabled)s, instant(%(since)s), %(secret)s, %(previous_secret)s,
    instant(%(previous_until)s), instant(%(created_at)s)
WHERE (SELECT count(*) FROM webhooks) < %(most)s;

-- name: change_webhook
-- Replace what a webhook asks for.
UPDATE webhooks
SET url = %(url)s, events = %(events)s, board = %(board)s, enabled = %(enabled)s, since = instant(%(since)s)
WHERE id = %(id)s;

-- name: rotate_webhook
-- Replace what signs a webhook's messages.
UPDATE webhooks SET secret = %(secret)s, previous_secret = secret, previous_until = instant(%(until)s)
WHERE id = %(id)s;

-- name: delete_webhook
-- Forget a webhook.
DELETE FROM webhooks WHERE id = %(id)s;

-- name: delete_deliveries
-- Forget what a webhook that goes was to be told.
DELETE FROM webhook_deliveries WHERE webhook_id = %(id)s;

-- name: unfinalized
-- Which of some periods nobody was told the end of.
SELECT wanted ->> 0, wanted ->> 1, wanted ->> 2 FROM json_array_elements(%(periods)s) AS wanted
WHERE NOT EXISTS (
    SELECT FROM finalized WHERE board = wanted ->> 0 AND "window" = wanted ->> 1 AND period = wanted ->> 2
);

-- name: claim_finalized
-- Be the one to tell of a period's end.
INSERT INTO finalized (board, "window", period, at)
VALUES (%(board)s, %(window)s, %(period)s, instant(%(now)s)) ON CONFLICT DO NOTHING;

-- name: tell_finalized
-- Tell those of a period's end who asked for it when it came.
INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at)
SELECT id, 'period.finalized', instant(%(now)s), %(data)s, instant(%(now)s) FROM webhooks
WHERE enabled AND since < instant(%(ends_at)s) AND (board IS NULL OR board = %(board)s)
    AND 'period.finalized' = ANY (events);

-- name: queue_test
-- Have one webhook tried.
INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at)
VALUES (%(id)s, 'webhook.test', instant(%(now)s), '{}', instant(%(now)s));

-- name: take_deliveries
-- What is due, some of each webhook, moved on so that nobody else takes it.
UPDATE webhook_deliveries AS taken SET due_at = instant(%(until)s), attempts = attempts + 1
FROM webhooks
WHERE webhooks.id = taken.webhook_id AND taken.id IN (
    SELECT due.id FROM webhooks CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries
        WHERE webhook_id = webhooks.id AND state = 'pending' AND due_at <= instant(%(now)s)
        ORDER BY due_at LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE enabled AND webhooks.id <> ALL (%(busy)s::text[])
)
RETURNING taken.id, webhook_id, event, microseconds(at), data, attempts, url, secret,
    CASE WHEN previous_until > instant(%(now)s) THEN previous_secret END;

-- name: settle_delivery
-- Note what came of a delivery; what it told is forgotten once it is done.
UPDATE webhook_deliveries
SET state = %(state)s, due_at = instant(%(due_at)s), status = %(status)s, error = %(error)s,
    data = CASE WHEN %(state)s = 'pending' THEN data ELSE '{}' END
WHERE id = %(id)s AND state = 'pending' AND (%(state)s = 'delivered' OR attempts = %(attempts)s);

-- name: deliveries
-- A webhook's newest deliveries.
SELECT id, event, microseconds(at), state, attempts, microseconds(due_at), status, error FROM webhook_deliveries
WHERE webhook_id = %(webhook_id)s ORDER BY at DESC, id DESC LIMIT %(limit)s;

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
    WHERE due_at < instant(%(before)s) AND (
        state <> 'pending' OR NOT EXISTS (SELECT FROM webhooks WHERE webhooks.id = webhook_id AND enabled)
    )
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
);

-- name: forget_finalized
-- Forget that periods were finalized which nobody looks at any more.
DELETE FROM finalized WHERE (board, "window", period) IN (
    SELECT board, "window", period FROM finalized WHERE at < instant(%(before)s) ORDER BY at LIMIT %(limit)s
);

-- name: names
-- What some players are called.
SELECT id, name FROM players WHERE id = ANY (%(ids)s);
