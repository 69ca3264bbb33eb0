-- Statements of the benchmark on PostgreSQL.

-- name: fill_players
-- Make a range of players, of all ages.
INSERT INTO players (id, name, created_at)
SELECT 'bench:' || n, 'bench:' || n, now() - random() * %(oldest)s * interval '1 microsecond'
FROM generate_series(%(first)s, %(last)s) AS n;

-- name: fill_standings
-- Put them on the board, with scores and times here and there.
INSERT INTO standings (board, "window", period, player_id, score, tiebreakers, achieved_at, last_at, last_id, revision,
    order_key)
SELECT %(board)s, %(window)s, %(period)s, id, score, '{}', at, at, gen_random_uuid(), 1,
    order_key(%(signs)s, score, '{}', at, id)
FROM (
    SELECT 'bench:' || n AS id, floor(random() * %(highest)s)::bigint AS score, now() - random() * interval '1 day' AS at
    FROM generate_series(%(first)s, %(last)s) AS n
) AS made;

-- name: insert_rows
-- The rows that a commit leaves, and nothing else: no check, no answer.
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s) AS row (id uuid, action_id text, player_id text, score bigint, at bigint,
        key text)
),
    taken AS (
        INSERT INTO actions (action_id, submission_id, board, player_id, status, score, previous, applied, fingerprint,
            kept_until)
        SELECT action_id, id, %(board)s, player_id, 'accepted', score, score, true, repeat('0', 64), instant(at)
        FROM given
    ),
    kept AS (
        INSERT INTO history (id, board, player_id, accepted_at, score, tiebreakers, state, address)
        SELECT id, %(board)s, player_id, instant(at), 7, '{}', 'counted', '127.0.0.1' FROM given
    ),
    moved AS (
        INSERT INTO standings (board, "window", period, player_id, score, tiebreakers, achieved_at, last_at, last_id,
            revision, order_key)
        SELECT %(board)s, %(window)s, %(period)s, player_id, score, '{}', instant(at), instant(at), id, 1,
            decode(key, 'hex')
        FROM given
        ON CONFLICT (board, "window", period, player_id) DO UPDATE
        SET score = excluded.score, tiebreakers = excluded.tiebreakers, achieved_at = excluded.achieved_at,
            last_at = excluded.last_at, last_id = excluded.last_id, revision = standings.revision + 1,
            order_key = excluded.order_key
    )
INSERT INTO outbox (at, touched)
SELECT now(), json_agg(json_build_array(%(board)s, %(window)s, %(period)s, player_id)) FROM given;
