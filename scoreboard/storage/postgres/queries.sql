-- Every statement of the PostgreSQL backend. Columns are read by position, in the order of the Struct that holds them;
-- instants go in and come out as microseconds.


-- Players

-- name: register_player
-- Store a registered player unless the username looks like one that is taken.
INSERT INTO players (id, name, revision, role, username, skeleton, password_hash, created_at)
VALUES (%(id)s, %(name)s, %(revision)s, %(role)s, %(username)s, %(skeleton)s, %(password_hash)s,
    instant(%(created_at)s))
ON CONFLICT (skeleton) WHERE skeleton IS NOT NULL DO NOTHING;

-- name: player
-- One player by id.
SELECT id, name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until)
FROM players WHERE id = %(id)s;

-- name: credentials
-- Who signs in by this username, and the hash to check the password against.
SELECT id, name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until), password_hash
FROM players WHERE skeleton = %(skeleton)s;

-- name: password_hash
-- The hash to check before a change of password.
SELECT password_hash FROM players WHERE id = %(id)s;

-- name: set_password
-- Replace the password, if nobody did since it was verified.
UPDATE players SET password_hash = %(password_hash)s WHERE id = %(player_id)s AND password_hash = %(verified)s;

-- name: upsert_player
-- Create a backend's own player or give a known one another name; with the name before.
WITH known AS (SELECT id, name FROM players WHERE id = %(id)s FOR UPDATE),
    made AS (
        INSERT INTO players (id, name, created_at)
        SELECT %(id)s, coalesce(%(name)s, %(id)s), instant(%(now)s) WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (id) DO UPDATE SET name = coalesce(%(name)s, players.name),
            revision = players.revision + (coalesce(%(name)s, players.name) <> players.name)::integer
        RETURNING *
    ),
    renamed AS (
        UPDATE players SET name = coalesce(%(name)s, players.name),
            revision = players.revision + (coalesce(%(name)s, players.name) <> players.name)::integer
        FROM known WHERE players.id = known.id
        RETURNING players.*
    ),
    stored AS (SELECT * FROM made UNION ALL SELECT * FROM renamed)
SELECT stored.id, stored.name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until), coalesce(stored.name <> known.name, revision > 1 AND known.id IS NULL)
FROM stored LEFT JOIN known USING (id);

-- name: has_admin
-- Whether anybody can administer the server.
SELECT EXISTS (SELECT FROM players WHERE role = 'admin');


-- Sessions

-- name: open_session
-- Store a sign-in, unless the password it was verified by was replaced meanwhile, and end a player's oldest live
-- sessions beyond the newest few; no row where it was not stored, else one for each that ended and one for itself.
WITH opened AS (
    INSERT INTO sessions (id, player_id, created_at, expires_at, token_hash, counter, previous_hash, rotated_at,
        last_used_at, revoked_at, address, user_agent)
    SELECT %(id)s, %(player_id)s, instant(%(created_at)s), instant(%(expires_at)s), %(token_hash)s, %(counter)s,
        %(previous_hash)s::bytea, instant(%(rotated_at)s), instant(%(last_used_at)s), instant(%(revoked_at)s),
        %(address)s, %(user_agent)s
    WHERE %(verified)s::text IS NULL
        OR %(verified)s = (SELECT password_hash FROM players WHERE id = %(player_id)s FOR SHARE)
    RETURNING id
),
    ended AS (
        UPDATE sessions SET revoked_at = instant(%(created_at)s)
        WHERE EXISTS (SELECT FROM opened) AND id IN (
            SELECT id FROM sessions
            WHERE player_id = %(player_id)s AND revoked_at IS NULL AND expires_at > instant(%(created_at)s)
            ORDER BY created_at DESC, id DESC OFFSET %(kept)s - 1
        )
        RETURNING id
    )
SELECT id, false FROM opened UNION ALL SELECT id, true FROM ended;

-- name: session
-- One session, to refresh it.
SELECT id, player_id, microseconds(created_at), microseconds(expires_at), token_hash, counter, previous_hash,
    microseconds(rotated_at), microseconds(last_used_at), microseconds(revoked_at), address, user_agent
FROM sessions WHERE id = %(id)s;

-- name: session_states
-- What authenticated calls need to know.
SELECT sessions.id, player_id, role, microseconds(expires_at), revoked_at IS NOT NULL, status IN ('banned', 'erased')
FROM sessions JOIN players ON players.id = player_id
WHERE sessions.id = ANY (%(ids)s);

-- name: rotate_session
-- Replace the refresh token, if nobody did before: compare and set.
UPDATE sessions
SET previous_hash = token_hash, token_hash = %(token_hash)s, counter = counter + 1, rotated_at = instant(%(now)s),
    last_used_at = instant(%(now)s), expires_at = instant(%(expires_at)s)
WHERE id = %(id)s AND counter = %(counter)s AND revoked_at IS NULL;

-- name: revoke_session
-- End one session; the first time counts.
UPDATE sessions SET revoked_at = instant(%(now)s) WHERE id = %(id)s AND revoked_at IS NULL;

-- name: revoke_sessions
-- End a player's live sessions but one.
UPDATE sessions SET revoked_at = instant(%(now)s)
WHERE player_id = %(player_id)s AND revoked_at IS NULL AND expires_at > instant(%(now)s)
    AND id IS DISTINCT FROM %(except_id)s
RETURNING id;

-- name: sessions
-- A player's live sessions, the newest first.
SELECT id, player_id, microseconds(created_at), microseconds(expires_at), token_hash, counter, previous_hash,
    microseconds(rotated_at), microseconds(last_used_at), microseconds(revoked_at), address, user_agent
FROM sessions WHERE player_id = %(player_id)s AND revoked_at IS NULL AND expires_at > instant(%(now)s)
ORDER BY created_at DESC, id DESC LIMIT %(limit)s;

-- name: session_count
-- How many live sessions a player has.
SELECT count(*) FROM sessions
WHERE player_id = %(player_id)s AND revoked_at IS NULL AND expires_at > instant(%(now)s);

-- name: sweep_sessions
-- Forget some of the sessions that have expired.
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at <= instant(%(now)s) ORDER BY expires_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
);


-- API keys

-- name: add_key
-- Store a key.
INSERT INTO api_keys (id, name, digest, scopes, created_at, revoked_at)
VALUES (%(id)s, %(name)s, %(digest)s, %(scopes)s, instant(%(created_at)s), instant(%(revoked_at)s));

-- name: key
-- The key that a request shows.
SELECT id, name, digest, scopes, microseconds(created_at), microseconds(revoked_at)
FROM api_keys WHERE digest = %(digest)s;

-- name: keys
-- All keys, to list them.
SELECT id, name, digest, scopes, microseconds(created_at), microseconds(revoked_at)
FROM api_keys ORDER BY created_at, id;

-- name: revoke_key
-- End a key; the first time counts.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, instant(%(now)s)) WHERE id = %(id)s;


-- Boards

-- name: boards
-- All boards, to hold them in memory.
SELECT id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at)
FROM boards ORDER BY id;

-- name: put_board
-- Create a board or replace its settings. Until the end of the transaction nothing is stored on it.
INSERT INTO boards (id, settings, revision, created_at, updated_at)
VALUES (%(id)s, %(settings)s, 1, instant(%(created_at)s), instant(%(updated_at)s))
ON CONFLICT (id) DO UPDATE
SET settings = excluded.settings, revision = boards.revision + 1, updated_at = excluded.updated_at, deleted_at = NULL
RETURNING id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at);

-- name: delete_board
-- Show a board to nobody any more; what was judged by it before is refused.
UPDATE boards SET revision = revision + 1, updated_at = instant(%(now)s), deleted_at = instant(%(now)s)
WHERE id = %(id)s AND deleted_at IS NULL
RETURNING id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at);

-- name: freeze_board
-- Keep from view what comes from now on, or, where that is due, has come since the time it was to be frozen.
UPDATE boards
SET revision = revision + 1, frozen_at = least(freezes_at, instant(%(now)s)), freezes_at = NULL
WHERE id = %(id)s AND deleted_at IS NULL AND frozen_at IS NULL AND (freezes_at <= instant(%(now)s) OR NOT %(due)s)
RETURNING id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at);

-- name: schedule_freeze
-- Have a board frozen later.
UPDATE boards SET revision = revision + 1, freezes_at = instant(%(at)s)
WHERE id = %(id)s AND deleted_at IS NULL AND frozen_at IS NULL AND freezes_at IS DISTINCT FROM instant(%(at)s)
RETURNING id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at);

-- name: reveal_board
-- Show a board as it is from now on, and forget that it was to be frozen.
UPDATE boards SET revision = revision + 1, frozen_at = NULL, freezes_at = NULL
WHERE id = %(id)s AND deleted_at IS NULL AND (frozen_at IS NOT NULL OR freezes_at IS NOT NULL)
RETURNING id, settings::text, revision, microseconds(created_at), microseconds(updated_at), microseconds(deleted_at),
    microseconds(frozen_at), microseconds(freezes_at);

-- name: reveal_standings
-- Forget what was kept of a board's standings, and name those in the outbox, some together.
WITH moved AS (DELETE FROM frozen_standings WHERE board = %(id)s RETURNING board, "window", period, player_id),
    numbered AS (SELECT *, row_number() OVER () / %(together)s AS part FROM moved)
INSERT INTO outbox (at, touched)
SELECT instant(%(now)s), json_agg(json_build_array(board, "window", period, player_id)) FROM numbered GROUP BY part;

-- name: reveal_history
-- Forget what was kept of a board's submissions.
DELETE FROM frozen_history WHERE board = %(id)s;

-- name: keep_standings
-- What a player's standings in some periods are, if their board is frozen; what was kept before stays.
INSERT INTO frozen_standings (board, "window", period, player_id, score, tiebreakers, achieved_at, revision, order_key)
SELECT old.board, old."window", old.period, old.player_id, old.score, old.tiebreakers, old.achieved_at, old.revision,
    old.order_key
FROM unnest(%(windows)s::text[], %(periods)s::text[]) AS place ("window", period)
JOIN standings AS old ON old.board = %(board)s AND old."window" = place."window" AND old.period = place.period
    AND old.player_id = %(player_id)s
JOIN boards ON boards.id = old.board
WHERE frozen_at IS NOT NULL
ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING;

-- name: keep_state
-- What a submission is that is about to be decided on, if its board is frozen; what was kept before stays.
INSERT INTO frozen_history (board, submission_id, state)
SELECT board, history.id, state FROM history JOIN boards ON boards.id = board
WHERE history.id = %(id)s AND frozen_at IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: lock_board
-- The settings of a board before they are replaced, whether submissions were counted by them, and whether it is frozen.
SELECT settings::text, EXISTS (SELECT FROM history WHERE board = %(id)s)
    OR EXISTS (SELECT FROM standings WHERE board = %(id)s), frozen_at IS NOT NULL
FROM boards WHERE id = %(id)s FOR UPDATE;

-- name: board_revision
-- Whether a board is still the one that is known; it stays so until the end of the transaction.
SELECT revision FROM boards WHERE id = %(id)s FOR SHARE;

-- name: empty_window
-- Take everything out of the standings that a window has from a time before.
UPDATE standings
SET score = NULL, tiebreakers = NULL, achieved_at = NULL, last_at = NULL, last_id = NULL, order_key = NULL,
    revision = revision + 1
WHERE board = %(board)s AND "window" = %(window)s AND score IS NOT NULL;

-- name: counted_history
-- What is counted on a board, player by player in fold order, those after one of them.
SELECT player_id, status, microseconds(accepted_at), history.id::text, score, tiebreakers
FROM history JOIN players ON players.id = player_id
WHERE board = %(board)s AND state = 'counted'
    AND (player_id, accepted_at, history.id) > (%(player_id)s, instant(%(at)s), %(id)s::uuid)
ORDER BY player_id, accepted_at, history.id LIMIT %(limit)s;

-- name: fill_window
-- Store standings folded from the history; a revision always rises.
INSERT INTO standings (board, "window", period, player_id, score, tiebreakers, achieved_at, last_at, last_id, revision,
    order_key)
SELECT %(board)s, %(window)s, row.period, row.player_id, row.score, row.tiebreakers, instant(row.achieved_at),
    instant(row.last_at), row.last_id, 1,
    CASE WHEN players.status = 'active' THEN
        order_key(%(signs)s, row.score, row.tiebreakers, instant(row.achieved_at), row.player_id) END
FROM json_to_recordset(%(rows)s) AS row (period text, player_id text, score bigint, tiebreakers bigint[],
    achieved_at bigint, last_at bigint, last_id uuid)
JOIN players ON players.id = row.player_id
ON CONFLICT (board, "window", period, player_id) DO UPDATE
SET score = excluded.score, tiebreakers = excluded.tiebreakers, achieved_at = excluded.achieved_at,
    last_at = excluded.last_at, last_id = excluded.last_id, revision = standings.revision + 1,
    order_key = excluded.order_key;


-- Submissions

-- name: commit
-- Store a batch: one round trip, one transaction.
SELECT outbox_id, answers::text, changes::text FROM commit_batch(%(parts)s::json[], instant(%(now)s));

-- name: action
-- What the first use of an action id was answered.
SELECT status, submission_id::text, board, player_id, applied, score, previous, code
FROM actions WHERE action_id = %(action_id)s;

-- name: sweep_actions
-- Forget some of the action ids that nobody can use any more.
DELETE FROM actions WHERE action_id IN (
    SELECT action_id FROM actions WHERE kept_until < instant(%(now)s) ORDER BY kept_until LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
);

-- name: claim
-- Take an idempotency key unless it is taken; the digest of the request that has it.
INSERT INTO claims (id, fingerprint, kept_until) VALUES (%(id)s, %(fingerprint)s, instant(%(kept_until)s))
ON CONFLICT (id) DO UPDATE SET kept_until = greatest(claims.kept_until, excluded.kept_until)
RETURNING fingerprint;

-- name: sweep_claims
-- Forget some of the idempotency keys that are kept no longer.
DELETE FROM claims WHERE id IN (
    SELECT id FROM claims WHERE kept_until < instant(%(now)s) ORDER BY kept_until LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
);

-- name: submission
-- One submission.
SELECT id::text, player_id, board, action, score, tiebreakers, metadata, microseconds(accepted_at), state
FROM history
WHERE id = %(id)s;

-- name: void_submission
-- Take a submission out of what is counted.
UPDATE history SET state = 'voided'
WHERE id = %(id)s AND state = 'counted' AND accepted_at >= (SELECT at FROM horizon FOR SHARE)
RETURNING id::text, player_id, board, action, score, tiebreakers, metadata, microseconds(accepted_at), state;

-- name: lock_standings
-- Keep submissions of a player on a board from being stored until the end of the transaction.
SELECT FROM standings WHERE board = %(board)s AND player_id = %(player_id)s
ORDER BY board, "window", period FOR UPDATE;

-- name: refold
-- Fold a player's standings in some periods anew, those that exist.
WITH mine AS (
    SELECT old.*, place.since, place.until, place.w
    FROM unnest(%(windows)s::text[], %(periods)s::text[], %(since)s::bigint[], %(until)s::bigint[]) WITH ORDINALITY
        AS place ("window", period, since, until, w)
    JOIN standings AS old ON old.board = %(board)s AND old."window" = place."window" AND old.period = place.period
        AND old.player_id = %(player_id)s
    ORDER BY old.board, old."window", old.period
    FOR UPDATE OF old
),
    anew AS MATERIALIZED (
        SELECT mine.board, mine."window", mine.period, mine.player_id, mine.w, folded.*
        FROM mine CROSS JOIN LATERAL fold_history(%(operator)s, %(signs)s, mine.board, mine.player_id,
            instant(mine.since), instant(mine.until), NULL, NULL, NULL, NULL) AS folded
    ),
    moved AS (
        UPDATE standings
        SET score = anew.score, tiebreakers = anew.tiebreakers, achieved_at = anew.achieved_at,
            last_at = anew.last_at, last_id = anew.last_id, revision = standings.revision + 1,
            order_key = CASE WHEN players.status = 'active' AND anew.score IS NOT NULL THEN
                order_key(%(signs)s, anew.score::bigint, anew.tiebreakers, anew.achieved_at, anew.player_id) END
        FROM anew JOIN players ON players.id = anew.player_id
        WHERE (standings.board, standings."window", standings.period, standings.player_id)
            = (anew.board, anew."window", anew.period, anew.player_id)
        RETURNING anew.w, standings.board, standings."window", standings.period, standings.player_id,
            standings.revision, standings.order_key, players.name, players.revision AS name_revision,
            abs(standings.score) > 9007199254740991 AS outside
    )
SELECT board, "window", period, player_id, revision, order_key, name, name_revision, coalesce(outside, false)
FROM moved ORDER BY w;

-- name: write_outbox
-- Name the standings a transaction touched.
INSERT INTO outbox (at, touched) VALUES (instant(%(now)s), %(touched)s) RETURNING id;

-- name: history
-- A player's newest submissions on a board, those before one of them; `frozen` asks for those that there were when it was
-- frozen, as they were.
SELECT id::text, player_id, history.board, action, score, tiebreakers, metadata, microseconds(accepted_at), shown.state
FROM history
LEFT JOIN frozen_history AS kept ON %(frozen)s AND kept.board = history.board AND submission_id = id
CROSS JOIN LATERAL (SELECT CASE WHEN kept.board IS NULL THEN history.state ELSE kept.state END AS state) AS shown
WHERE history.board = %(board)s AND player_id = %(player_id)s AND shown.state IS NOT NULL
    AND (shown.state = 'counted' OR NOT %(counted_only)s)
    AND (accepted_at, id) < (
        coalesce((SELECT max(accepted_at) FROM history WHERE id = %(before)s::uuid),
            CASE WHEN %(before)s::uuid IS NULL THEN timestamptz 'infinity' ELSE '-infinity' END),
        coalesce(%(before)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    )
ORDER BY accepted_at DESC, id DESC LIMIT %(limit)s;


-- Standings

-- name: projections
-- Some standings, to project them.
SELECT board, "window", period, player_id, shown.revision, order_key, name, players.revision
FROM json_array_elements(%(wanted)s) AS wanted
JOIN shown_standings AS shown ON board = wanted ->> 0 AND "window" = wanted ->> 1 AND period = wanted ->> 2
    AND player_id = wanted ->> 3
JOIN players ON players.id = player_id;

-- name: standings_of
-- A page of a period by player, to rebuild its ranking or to compare it.
SELECT board, "window", period, player_id, shown.revision, order_key, name, players.revision
FROM shown_standings AS shown JOIN players ON players.id = player_id
WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND player_id > %(after)s
ORDER BY player_id LIMIT %(limit)s;

-- name: refolded
-- A page of a period by player: whether each standing is what its history comes to.
SELECT page.player_id,
    (page.score, page.tiebreakers, page.achieved_at, page.last_at, page.last_id, page.order_key) IS NOT DISTINCT FROM
    (
        folded.score, folded.tiebreakers, folded.achieved_at, folded.last_at, folded.last_id,
        CASE WHEN players.status = 'active' AND abs(folded.score) <= 9007199254740991 THEN
            order_key(%(signs)s, folded.score::bigint, folded.tiebreakers, folded.achieved_at, page.player_id) END
    )
FROM (
    SELECT * FROM standings
    WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND player_id > %(after)s
        AND instant(%(until)s) > (SELECT at FROM horizon)
    ORDER BY player_id LIMIT %(limit)s
) AS page
JOIN players ON players.id = page.player_id
CROSS JOIN LATERAL fold_history(%(operator)s, %(signs)s, %(board)s, page.player_id, instant(%(since)s),
    instant(%(until)s), NULL, NULL, NULL, NULL) AS folded
ORDER BY page.player_id;

-- name: digest
-- Number of visible standings of a period and the sum of their scores: those of now, and the difference to what is shown.
SELECT live.number + moved.number, (live.total + moved.total)::text
FROM (
    SELECT count(*) AS number, coalesce(sum(score), 0) AS total FROM standings
    WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND order_key IS NOT NULL
) AS live, (
    SELECT count(kept.order_key) - count(now.order_key) AS number,
        coalesce(sum(kept.score) FILTER (WHERE kept.order_key IS NOT NULL), 0)
            - coalesce(sum(now.score) FILTER (WHERE now.order_key IS NOT NULL), 0) AS total
    FROM frozen_standings AS kept JOIN standings AS now USING (board, "window", period, player_id)
    WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s
) AS moved;

-- name: page
-- The first rows of a period, each with the number of all: of what is as it is shown, and of what is kept from view.
SELECT order_key, name, (
        SELECT count(*) FROM standings
        WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND order_key IS NOT NULL
    ) + (
        SELECT count(kept.order_key) - count(now.order_key)
        FROM frozen_standings AS kept JOIN standings AS now USING (board, "window", period, player_id)
        WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s
    )
FROM (
    (
        SELECT order_key, player_id FROM standings AS live
        WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND order_key IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM frozen_standings AS kept
                WHERE kept.board = live.board AND kept."window" = live."window" AND kept.period = live.period
                    AND kept.player_id = live.player_id
            )
        ORDER BY order_key LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT order_key, player_id FROM frozen_standings
        WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND order_key IS NOT NULL
        ORDER BY order_key LIMIT %(limit)s
    )
) AS shown JOIN players ON players.id = player_id
ORDER BY order_key LIMIT %(limit)s;

-- name: periods
-- The periods of a board that have a standing, of those that all may know of unless `everything` is asked for; found by
-- jumping from one to the next.
WITH RECURSIVE found ("window", period) AS (
    (
        SELECT "window", period FROM standings WHERE board = %(board)s
        ORDER BY "window", period LIMIT 1
    )
    UNION ALL
    SELECT next."window", next.period FROM found CROSS JOIN LATERAL (
        SELECT "window", period FROM standings
        WHERE board = %(board)s AND ("window", period) > (found."window", found.period)
        ORDER BY "window", period LIMIT 1
    ) AS next
)
SELECT "window", period FROM found
WHERE %(everything)s OR EXISTS (
    SELECT FROM shown_standings AS shown
    WHERE board = %(board)s AND shown."window" = found."window" AND shown.period = found.period
);

-- name: next_epoch
-- Issue an epoch above all others.
SELECT nextval('epochs');

-- name: confirm_epoch
-- Say which ranking stands for a period, unless a newer one does.
INSERT INTO confirmed (board, "window", period, epoch, home)
VALUES (%(board)s, %(window)s, %(period)s, %(epoch)s, %(home)s)
ON CONFLICT (board, "window", period) DO UPDATE SET epoch = excluded.epoch, home = excluded.home
WHERE excluded.epoch >= confirmed.epoch;

-- name: confirmed_epoch
-- Which ranking stands for a period.
SELECT epoch, home FROM confirmed WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s;


-- Outbox

-- name: take_outbox
-- Transactions that perhaps were not projected, and that nobody has taken, the oldest.
UPDATE outbox SET leased_until = instant(%(lease)s)
WHERE id IN (
    SELECT id FROM outbox WHERE at < instant(%(before)s) AND leased_until <= instant(%(now)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING id, microseconds(at), touched::text;

-- name: settle
-- Forget transactions that were projected, if the rankings they went to still stand.
DELETE FROM outbox
WHERE id = ANY (%(ids)s::bigint[]) AND NOT EXISTS (
    SELECT FROM json_array_elements(%(epochs)s) AS used
    JOIN confirmed ON board = used ->> 0 AND "window" = used ->> 1 AND period = used ->> 2
    WHERE epoch <> (used ->> 3)::bigint
);

-- name: backlog
-- How much there is in the outbox, up to a number.
SELECT count(*), microseconds(min(at)) FROM (SELECT at FROM outbox ORDER BY id LIMIT %(limit)s) AS oldest;


-- The database itself

-- name: make_partitions
-- Have a place for the history and the audit trail of this month and the next ones.
SELECT make_partitions('history', instant(%(now)s), 2), make_partitions('audit', instant(%(now)s), 2);

-- name: ping
-- Learn whether it can be written.
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off';

-- name: log_position
-- How much has been written to the log; whoever has replayed so much has all that was committed before.
SELECT (pg_current_wal_lsn() - '0/0')::bigint;

-- name: log_replayed
-- How much of the log a standby shows; of one that was promoted, all.
SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0')::bigint;

-- name: examine
-- What an operator wants to know of a server, tables or not.
SELECT current_setting('server_version_num')::integer, current_setting('server_version'), pg_is_in_recovery(),
    current_setting('max_connections')::integer, current_setting('fsync') = 'on',
    current_setting('full_page_writes') = 'on', current_setting('synchronous_commit') <> 'off',
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, to_regclass('schema_version') IS NOT NULL,
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0')::bigint;

-- name: schema_version
-- Up to which migration the tables are.
SELECT max(version) FROM schema_version;


-- Retention

-- name: lock_horizon
-- From when on the history is kept, and the oldest score that waits for a decision. Nothing is voided meanwhile.
SELECT CASE WHEN isfinite(at) THEN microseconds(at) ELSE -9223372036854775807 END, (
        SELECT microseconds(min(accepted_at)) FROM reviews JOIN history ON id = submission_id WHERE reviews.state = 'open'
    )
FROM horizon FOR UPDATE;

-- name: checkpoint
-- Keep what the submissions of some players came to, of those who have any that are to be forgotten; the last player.
WITH due AS (
    SELECT DISTINCT player_id FROM history
    WHERE board = %(board)s AND player_id > %(after)s AND state = 'counted'
        AND accepted_at >= instant(%(begin)s) AND accepted_at < instant(%(until)s)
    ORDER BY player_id LIMIT %(limit)s
),
    kept AS (
        INSERT INTO checkpoints (board, player_id, since, score, tiebreakers, achieved_at, last_at, last_id)
        SELECT %(board)s, player_id, instant(%(since)s), folded.*
        FROM due CROSS JOIN LATERAL fold_history(%(operator)s, %(signs)s, %(board)s, player_id, instant(%(since)s),
            instant(%(until)s), NULL, NULL, NULL, NULL) AS folded
        ON CONFLICT (board, player_id, since) DO UPDATE SET score = excluded.score,
            tiebreakers = excluded.tiebreakers, achieved_at = excluded.achieved_at, last_at = excluded.last_at,
            last_id = excluded.last_id
    )
SELECT max(player_id) FROM due;

-- name: drop_checkpoints
-- Forget the checkpoints of periods that are over.
DELETE FROM checkpoints
WHERE board = %(board)s AND NOT microseconds(since) = ANY (%(kept)s::bigint[]);

-- name: move_horizon
-- From now on, what is older is not kept.
UPDATE horizon SET at = instant(%(at)s);

-- name: drop_history
-- Forget the months that are not kept.
SELECT drop_partitions('history', at) FROM horizon;

-- name: sweep_history
-- Forget what is not kept and has no month of its own.
DELETE FROM history_default WHERE id IN (
    SELECT id FROM history_default WHERE accepted_at < (SELECT at FROM horizon) LIMIT %(limit)s
);
