-- Every statement of the SQLite backend. Columns are read by position, in the order of the Struct that holds them.
--
-- The interpreter lock is given up and taken again at each step of a statement, that is at each row fetched, so many
-- rows are fetched as one JSON array (which holds no bytes: keys are hexadecimal). Statements that write many rows
-- read them from `rows`, which is put before them as a list of values; it may end in rows of zeros.


-- Players

-- name: register_player
-- Store a registered player unless the username looks like one that is taken.
INSERT INTO players (id, name, revision, status, role, username, skeleton, password_hash, created_at)
VALUES (:id, :name, :revision, 'active', :role, :username, :skeleton, :password_hash, :created_at)
ON CONFLICT (skeleton) WHERE skeleton IS NOT NULL DO NOTHING;

-- name: player
-- One player by id.
SELECT id, name, role, created_at, revision, username, status IN ('banned', 'erased'), status = 'hidden',
    status = 'erased', banned_until
FROM players WHERE id = :id;

-- name: credentials
-- Who signs in by this username, and the hash to check the password against.
SELECT id, name, role, created_at, revision, username, status IN ('banned', 'erased'), status = 'hidden',
    status = 'erased', banned_until, password_hash
FROM players WHERE skeleton = :skeleton;

-- name: password_hash
-- The hash to check before a change of password.
SELECT password_hash FROM players WHERE id = :id;

-- name: set_password
-- Replace the password, if nobody did since it was verified.
UPDATE players SET password_hash = :password_hash WHERE id = :player_id AND password_hash = :verified;

-- name: insert_player
-- Create a backend's own player.
INSERT INTO players (id, name, revision, status, role, created_at)
VALUES (:id, :name, 1, 'active', 'player', :now);

-- name: rename_player
-- Give a player another name.
UPDATE players SET name = :name, revision = revision + 1 WHERE id = :id;

-- name: has_admin
-- Whether anybody can administer the server.
SELECT EXISTS (SELECT 1 FROM players WHERE role = 'admin');

-- name: named
-- What the projections of a player need to know of it.
SELECT id, name, revision, status FROM players WHERE id = :id;


-- Sessions

-- name: open_session
-- Store a sign-in, unless the password it was verified by was replaced meanwhile.
INSERT INTO sessions (id, player_id, created_at, expires_at, token_hash, counter, previous_hash, rotated_at,
    last_used_at, revoked_at, address, user_agent)
SELECT :id, :player_id, :created_at, :expires_at, :token_hash, :counter, :previous_hash, :rotated_at,
    :last_used_at, :revoked_at, :address, :user_agent
WHERE :verified IS NULL OR :verified = (SELECT password_hash FROM players WHERE id = :player_id);

-- name: end_oldest_sessions
-- End a player's live sessions beyond the newest few.
UPDATE sessions SET revoked_at = :created_at
WHERE id IN (
    SELECT id FROM sessions WHERE player_id = :player_id AND revoked_at IS NULL AND expires_at > :created_at
    ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET :kept
)
RETURNING id;

-- name: session
-- One session, to refresh it.
SELECT id, player_id, created_at, expires_at, token_hash, counter, previous_hash, rotated_at,
    last_used_at, revoked_at, address, user_agent
FROM sessions WHERE id = :id;

-- name: session_state
-- What an authenticated call needs to know.
SELECT sessions.id, player_id, role, expires_at, revoked_at IS NOT NULL, status IN ('banned', 'erased')
FROM sessions JOIN players ON players.id = player_id
WHERE sessions.id = :id;

-- name: session_states
-- What is to be known of many sessions.
SELECT sessions.id, player_id, role, expires_at, revoked_at IS NOT NULL, status IN ('banned', 'erased')
FROM json_each(:ids) AS wanted CROSS JOIN sessions ON sessions.id = wanted.value JOIN players ON players.id = player_id;

-- name: rotate_session
-- Replace the refresh token, if nobody did before: compare and set.
UPDATE sessions
SET previous_hash = token_hash, token_hash = :token_hash, counter = counter + 1, rotated_at = :now,
    last_used_at = :now, expires_at = :expires_at
WHERE id = :id AND counter = :counter AND revoked_at IS NULL;

-- name: revoke_session
-- End one session; the first time counts.
UPDATE sessions SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: revoke_sessions
-- End a player's live sessions but one.
UPDATE sessions SET revoked_at = :now
WHERE player_id = :player_id AND revoked_at IS NULL AND expires_at > :now AND id IS NOT :except_id
RETURNING id;

-- name: sessions
-- A player's live sessions, the newest first.
SELECT id, player_id, created_at, expires_at, token_hash, counter, previous_hash, rotated_at,
    last_used_at, revoked_at, address, user_agent
FROM sessions WHERE player_id = :player_id AND revoked_at IS NULL AND expires_at > :now
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: session_count
-- How many live sessions a player has.
SELECT count(*) FROM sessions WHERE player_id = :player_id AND revoked_at IS NULL AND expires_at > :now;

-- name: sweep_sessions
-- Forget some of the sessions that have expired.
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit);


-- API keys

-- name: add_key
-- Store a key.
INSERT INTO api_keys (id, name, digest, scopes, created_at, revoked_at)
VALUES (:id, :name, :digest, :scopes, :created_at, :revoked_at);

-- name: key
-- The key that a request shows.
SELECT id, name, digest, scopes, created_at, revoked_at FROM api_keys WHERE digest = :digest;

-- name: keys
-- All keys, to list them.
SELECT id, name, digest, scopes, created_at, revoked_at FROM api_keys ORDER BY created_at, id;

-- name: revoke_key
-- End a key; the first time counts.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id;


-- Boards

-- name: boards
-- All boards, to hold them in memory.
SELECT id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at FROM boards ORDER BY id;

-- name: put_board
-- Create a board or replace its settings.
INSERT INTO boards (id, settings, revision, created_at, updated_at)
VALUES (:id, :settings, 1, :created_at, :updated_at)
ON CONFLICT (id) DO UPDATE
SET settings = excluded.settings, revision = revision + 1, updated_at = excluded.updated_at, deleted_at = NULL
RETURNING id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at;

-- name: delete_board
-- Show a board to nobody any more; what was judged by it before is refused.
UPDATE boards SET revision = revision + 1, updated_at = :now, deleted_at = :now WHERE id = :id AND deleted_at IS NULL
RETURNING id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at;

-- name: freeze_board
-- Keep from view what comes from now on, or, where that is due, has come since the time it was to be frozen.
UPDATE boards
SET revision = revision + 1, frozen_at = iif(freezes_at <= :now, freezes_at, :now), freezes_at = NULL
WHERE id = :id AND deleted_at IS NULL AND frozen_at IS NULL AND (freezes_at <= :now OR NOT :due)
RETURNING id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at;

-- name: schedule_freeze
-- Have a board frozen later.
UPDATE boards SET revision = revision + 1, freezes_at = :at
WHERE id = :id AND deleted_at IS NULL AND frozen_at IS NULL AND freezes_at IS NOT :at
RETURNING id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at;

-- name: reveal_board
-- Show a board as it is from now on, and forget that it was to be frozen.
UPDATE boards SET revision = revision + 1, frozen_at = NULL, freezes_at = NULL
WHERE id = :id AND deleted_at IS NULL AND (frozen_at IS NOT NULL OR freezes_at IS NOT NULL)
RETURNING id, settings, revision, created_at, updated_at, deleted_at, frozen_at, freezes_at;

-- name: keep_standings
-- What the standings that a frozen board is about to move are now; what was kept before stays.
INSERT INTO frozen_standings (board, window, period, player_id, score, tiebreakers, achieved_at, revision, order_key)
SELECT wanted.value ->> 0, wanted.value ->> 1, wanted.value ->> 2, wanted.value ->> 3, score, tiebreakers, achieved_at,
    coalesce(revision, 0), order_key
FROM json_each(:wanted) AS wanted LEFT JOIN standings
    ON board = wanted.value ->> 0 AND window = wanted.value ->> 1 AND period = wanted.value ->> 2
    AND player_id = wanted.value ->> 3
WHERE true
ON CONFLICT DO NOTHING;

-- name: keep_submissions
-- Keep submissions that a frozen board takes from view.
INSERT INTO frozen_history (board, submission_id, state)
SELECT value ->> 0, value ->> 1, NULL FROM json_each(:wanted) WHERE true ON CONFLICT DO NOTHING;

-- name: keep_state
-- What a submission is that is about to be decided on, if its board is frozen; what was kept before stays.
INSERT INTO frozen_history (board, submission_id, state)
SELECT board, history.id, state FROM history JOIN boards ON boards.id = board
WHERE history.id = :id AND frozen_at IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: kept_standings
-- What is kept of a player's standings and the settings of their boards, to hide or show them.
SELECT kept.board, window, period, kept.revision, score, tiebreakers, achieved_at, settings
FROM frozen_standings AS kept CROSS JOIN boards ON boards.id = kept.board
WHERE player_id = :player_id AND kept.revision > 0;

-- name: show_kept
-- Show or hide what is kept of a standing.
UPDATE frozen_standings SET revision = :revision, order_key = :order_key
WHERE board = :board AND window = :window AND period = :period AND player_id = :player_id;

-- name: reveal_standings
-- Forget what was kept of a board's standings; which they are.
DELETE FROM frozen_standings WHERE board = :board RETURNING board, window, period, player_id;

-- name: reveal_history
-- Forget what was kept of a board's submissions.
DELETE FROM frozen_history WHERE board = :board;

-- name: settled
-- The settings of a board before they are replaced, if there are submissions that were counted by them, and whether it is
-- frozen.
SELECT settings, frozen_at IS NOT NULL FROM boards WHERE id = :id
    AND (EXISTS (SELECT 1 FROM history WHERE board = :id) OR EXISTS (SELECT 1 FROM standings WHERE board = :id));

-- name: board_revision
-- Whether a board is still the one that is known.
SELECT revision FROM boards WHERE id = :id;

-- name: empty_window
-- Take everything out of the standings that a window has from a time before.
UPDATE standings
SET score = NULL, tiebreakers = NULL, achieved_at = NULL, last_at = NULL, last_id = NULL, order_key = NULL,
    revision = revision + 1
WHERE board = :board AND window = :window AND score IS NOT NULL;

-- name: counted_history
-- What is counted on a board, player by player in fold order, those after one of them.
SELECT json_group_array(json_array(player_id, status, accepted_at, id, score, json(tiebreakers)))
FROM (
    SELECT player_id, status, accepted_at, history.id AS id, score, tiebreakers
    FROM history CROSS JOIN players ON players.id = player_id
    WHERE board = :board AND state = 'counted' AND (player_id, accepted_at, history.id) > (:player_id, :accepted_at, :id)
    ORDER BY player_id, accepted_at, history.id LIMIT :limit
);


-- The commit of a batch

-- name: read_batch
-- What a batch must know: the action ids taken before, its players, the standings it may move, and the revisions of its
-- boards.
SELECT
    (SELECT json_group_array(json_array(action_id, submission_id, board, player_id, status, code, score, previous,
        applied, fingerprint, kept_until))
    FROM json_each(:actions) AS wanted CROSS JOIN actions ON action_id = wanted.value),
    (SELECT json_group_array(json_array(players.id, name, revision, status))
    FROM json_each(:players) AS wanted CROSS JOIN players ON players.id = wanted.value),
    (SELECT json_group_array(json_array(wanted.key, revision,
        iif(score IS NULL, NULL, json_array(score, json(tiebreakers), achieved_at, last_at, last_id))))
    FROM (SELECT key, value FROM json_each(:standings) LIMIT -1) AS wanted CROSS JOIN standings
        ON board = wanted.value ->> 0 AND window = wanted.value ->> 1 AND period = wanted.value ->> 2
        AND player_id = wanted.value ->> 3),
    (SELECT json_group_object(boards.id, revision)
    FROM json_each(:boards) AS wanted CROSS JOIN boards ON boards.id = wanted.value),
    (SELECT at FROM horizon);

-- name: counted
-- What is counted in some standings, each named by board, player and the bounds of its period; and the checkpoints that
-- stand for what is not kept of it.
SELECT
    (SELECT json_group_array(json_array(wanted.key, accepted_at, history.id, score, json(tiebreakers)))
    FROM json_each(:wanted) AS wanted CROSS JOIN history
        ON board = wanted.value ->> 0 AND player_id = wanted.value ->> 1
        AND accepted_at >= max(wanted.value ->> 2, (SELECT at FROM horizon)) AND accepted_at < wanted.value ->> 3
    WHERE state = 'counted'),
    (SELECT json_group_array(json_array(wanted.key, json_array(score, json(tiebreakers), achieved_at, last_at, last_id)))
    FROM json_each(:wanted) AS wanted CROSS JOIN checkpoints
        ON board = wanted.value ->> 0 AND player_id = wanted.value ->> 1 AND since = wanted.value ->> 2);

-- name: write_players
-- Create the players of a batch that are new and rename those called otherwise.
INSERT INTO players (id, name, revision, status, role, created_at)
SELECT column1, column2, column3, column4, 'player', column5 FROM rows WHERE column1 <> 0
ON CONFLICT (id) DO UPDATE SET name = excluded.name, revision = excluded.revision;

-- name: write_actions
-- Take the action ids of a batch and keep what each was answered.
INSERT INTO actions (action_id, submission_id, board, player_id, status, code, score, previous, applied, fingerprint,
    kept_until)
SELECT * FROM rows WHERE column1 <> 0;

-- name: write_history
-- Keep the submissions of a batch.
INSERT INTO history (id, board, player_id, accepted_at, score, tiebreakers, state, action, metadata, evidence, address)
SELECT * FROM rows WHERE column1 <> 0;

-- name: write_standings
-- Store standings as they now are; a revision always rises.
INSERT INTO standings (board, window, period, player_id, score, tiebreakers, achieved_at, last_at, last_id, revision,
    order_key)
SELECT * FROM rows WHERE column1 <> 0
ON CONFLICT (board, window, period, player_id) DO UPDATE
SET score = excluded.score, tiebreakers = excluded.tiebreakers, achieved_at = excluded.achieved_at,
    last_at = excluded.last_at, last_id = excluded.last_id, revision = max(excluded.revision, standings.revision + 1),
    order_key = excluded.order_key;

-- name: write_reviews
-- Queue the held submissions of a batch for review.
INSERT INTO reviews (submission_id, board, player_id, evidence, rules_revision)
SELECT * FROM rows WHERE column1 <> 0;

-- name: write_outbox
-- Name the standings a transaction touched.
INSERT INTO outbox (at, touched) VALUES (:at, :touched) RETURNING id;


-- Submissions

-- name: action
-- What the first use of an action id was answered.
SELECT action_id, submission_id, board, player_id, status, code, score, previous, applied, fingerprint, kept_until
FROM actions WHERE action_id = :action_id;

-- name: sweep_actions
-- Forget some of the action ids that nobody can use any more.
DELETE FROM actions WHERE action_id IN (
    SELECT action_id FROM actions WHERE kept_until < :now ORDER BY kept_until LIMIT :limit
);

-- name: claim
-- Take an idempotency key unless it is taken; the digest of the request that has it.
INSERT INTO claims (id, fingerprint, kept_until) VALUES (:id, :fingerprint, :kept_until)
ON CONFLICT (id) DO UPDATE SET kept_until = max(claims.kept_until, excluded.kept_until)
RETURNING fingerprint;

-- name: sweep_claims
-- Forget some of the idempotency keys that are kept no longer.
DELETE FROM claims WHERE id IN (
    SELECT id FROM claims WHERE kept_until < :now ORDER BY kept_until LIMIT :limit
);

-- name: submission
-- One submission.
SELECT id, player_id, board, action, score, tiebreakers, metadata, accepted_at, state FROM history WHERE id = :id;

-- name: void_submission
-- Take a submission out of what is counted.
UPDATE history SET state = 'voided' WHERE id = :id AND accepted_at >= (SELECT at FROM horizon);

-- name: history
-- A player's newest submissions on a board; `frozen` asks for those that there were when it was frozen, as they were.
SELECT id, player_id, history.board, action, score, tiebreakers, metadata, accepted_at,
    iif(kept.board IS NULL, history.state, kept.state) AS shown
FROM history LEFT JOIN frozen_history AS kept ON :frozen AND kept.board = history.board AND submission_id = id
WHERE history.board = :board AND player_id = :player_id AND shown IS NOT NULL
    AND (shown = 'counted' OR NOT :counted_only)
ORDER BY accepted_at DESC, id DESC LIMIT :limit;

-- name: history_before
-- The same that are older than one of them.
SELECT id, player_id, history.board, action, score, tiebreakers, metadata, accepted_at,
    iif(kept.board IS NULL, history.state, kept.state) AS shown
FROM history LEFT JOIN frozen_history AS kept ON :frozen AND kept.board = history.board AND submission_id = id
WHERE history.board = :board AND player_id = :player_id AND shown IS NOT NULL
    AND (shown = 'counted' OR NOT :counted_only)
    AND (accepted_at, id) < (SELECT accepted_at, id FROM history WHERE id = :before)
ORDER BY accepted_at DESC, id DESC LIMIT :limit;


-- Standings

-- name: standings
-- Some standings, to refold them.
SELECT json_group_array(json_array(wanted.key, revision,
        iif(score IS NULL, NULL, json_array(score, json(tiebreakers), achieved_at, last_at, last_id))))
FROM json_each(:wanted) AS wanted CROSS JOIN standings
    ON board = wanted.value ->> 0 AND window = wanted.value ->> 1 AND period = wanted.value ->> 2
    AND player_id = wanted.value ->> 3;

-- name: owned_standings
-- All standings of a player and the settings of their boards, to hide or show them.
SELECT json_group_array(json_array(json_array(board, window, period),
    json_array(0, standings.revision,
        iif(score IS NULL, NULL, json_array(score, json(tiebreakers), achieved_at, last_at, last_id))),
    json(settings)))
FROM standings JOIN boards ON boards.id = board
WHERE player_id = :player_id;

-- name: projections
-- Some standings, to project them.
SELECT json_group_array(json_array(json_array(board, window, period), player_id, shown.revision, hex(order_key),
    name, players.revision))
FROM json_each(:wanted) AS wanted CROSS JOIN shown_standings AS shown CROSS JOIN players ON players.id = player_id
WHERE board = wanted.value ->> 0 AND window = wanted.value ->> 1 AND period = wanted.value ->> 2
    AND player_id = wanted.value ->> 3;

-- name: projections_of
-- All standings of a player, to project them.
SELECT json_group_array(json_array(json_array(board, window, period), player_id, shown.revision, hex(order_key),
    name, players.revision))
FROM shown_standings AS shown CROSS JOIN players ON players.id = player_id
WHERE player_id = :player_id;

-- name: standings_of
-- A page of a period by player, to rebuild its ranking or to compare it.
SELECT json_group_array(json_array(json_array(board, window, period), player_id, revision, order_key, name,
    name_revision))
FROM (
    SELECT board, window, period, player_id, shown.revision AS revision, hex(order_key) AS order_key, name,
        players.revision AS name_revision
    FROM shown_standings AS shown CROSS JOIN players ON players.id = player_id
    WHERE board = :board AND window = :window AND period = :period AND player_id > :after
    ORDER BY player_id LIMIT :limit
);

-- name: refolding
-- A page of a period by player, each standing with its checkpoint beside every submission that is counted in it, in fold
-- order; of one without any, nothing beside it.
SELECT page.player_id, status, order_key,
    iif(page.score IS NULL, NULL, json_array(page.score, json(page.tiebreakers), achieved_at, last_at, last_id)),
    (SELECT json_array(score, json(tiebreakers), achieved_at, last_at, last_id) FROM checkpoints
    WHERE board = :board AND player_id = page.player_id AND since = :since),
    accepted_at, history.id, history.score, history.tiebreakers
FROM (
    SELECT * FROM standings
    WHERE board = :board AND window = :window AND period = :period AND player_id > :after
        AND :until > (SELECT at FROM horizon)
    ORDER BY player_id LIMIT :limit
) AS page CROSS JOIN players ON players.id = page.player_id
LEFT JOIN history ON history.board = :board AND history.player_id = page.player_id AND state = 'counted'
    AND accepted_at >= max(:since, (SELECT at FROM horizon)) AND accepted_at < :until
ORDER BY page.player_id, accepted_at, history.id;

-- name: digest
-- Number of visible standings of a period and the sum of their scores, which may be beyond 64 bits, in two parts: those
-- of now, and the difference to what is shown.
SELECT live.number + moved.number, live.high + moved.high, live.low + moved.low
FROM (
    SELECT count(*) AS number, coalesce(sum(score >> 20), 0) AS high, coalesce(sum(score & 1048575), 0) AS low
    FROM standings WHERE board = :board AND window = :window AND period = :period AND order_key IS NOT NULL
) AS live, (
    SELECT count(kept.order_key) - count(now.order_key) AS number,
        coalesce(sum(kept.score >> 20) FILTER (WHERE kept.order_key IS NOT NULL), 0)
            - coalesce(sum(now.score >> 20) FILTER (WHERE now.order_key IS NOT NULL), 0) AS high,
        coalesce(sum(kept.score & 1048575) FILTER (WHERE kept.order_key IS NOT NULL), 0)
            - coalesce(sum(now.score & 1048575) FILTER (WHERE now.order_key IS NOT NULL), 0) AS low
    FROM frozen_standings AS kept CROSS JOIN standings AS now USING (board, window, period, player_id)
    WHERE board = :board AND window = :window AND period = :period
) AS moved;

-- name: page
-- The first rows of a period and how many there are.
SELECT
    (SELECT count(*) FROM shown_standings
    WHERE board = :board AND window = :window AND period = :period AND order_key IS NOT NULL),
    (SELECT json_group_array(json_array(order_key, name)) FROM (
        SELECT hex(order_key) AS order_key, name
        FROM shown_standings AS shown CROSS JOIN players ON players.id = player_id
        WHERE board = :board AND window = :window AND period = :period AND order_key IS NOT NULL
        ORDER BY shown.order_key LIMIT :limit
    ));

-- name: periods
-- The periods of a board that have a standing, of those that all may know of unless `everything` is asked for; found by
-- jumping from one to the next.
WITH RECURSIVE
    windows (window) AS (
        SELECT min(window) FROM standings WHERE board = :board
        UNION ALL
        SELECT (SELECT min(window) FROM standings WHERE board = :board AND window > windows.window)
        FROM windows WHERE windows.window IS NOT NULL
    ),
    periods (window, period) AS (
        SELECT window, (SELECT min(period) FROM standings WHERE board = :board AND window = windows.window)
        FROM windows WHERE windows.window IS NOT NULL
        UNION ALL
        SELECT window, (
            SELECT min(period) FROM standings
            WHERE board = :board AND window = periods.window AND period > periods.period
        )
        FROM periods WHERE periods.period IS NOT NULL
    )
SELECT window, period FROM periods
WHERE period IS NOT NULL AND (:everything OR EXISTS (
    SELECT 1 FROM shown_standings AS shown
    WHERE board = :board AND shown.window = periods.window AND shown.period = periods.period
))
ORDER BY window, period;

-- name: next_epoch
-- Issue an epoch above all others; the highest one is always in the table.
INSERT INTO epochs (board, window, period, epoch)
VALUES (:board, :window, :period, (SELECT coalesce(max(epoch), 0) + 1 FROM epochs))
ON CONFLICT (board, window, period) DO UPDATE SET epoch = excluded.epoch
RETURNING epoch;

-- name: confirm_epoch
-- Say which ranking stands for a period, unless a newer one does.
INSERT INTO confirmed (board, window, period, epoch, home) VALUES (:board, :window, :period, :epoch, :home)
ON CONFLICT (board, window, period) DO UPDATE SET epoch = excluded.epoch, home = excluded.home
WHERE excluded.epoch >= confirmed.epoch;

-- name: confirmed_epoch
-- Which ranking stands for a period.
SELECT epoch, home FROM confirmed WHERE board = :board AND window = :window AND period = :period;


-- Outbox

-- name: take_outbox
-- Transactions that perhaps were not projected, and that nobody has taken, the oldest.
UPDATE outbox SET leased_until = :lease
WHERE id IN (
    SELECT id FROM outbox WHERE at < :before AND leased_until <= :now ORDER BY id LIMIT :limit
)
RETURNING id, at, touched;

-- name: settle
-- Forget transactions that were projected, if the rankings they went to still stand.
DELETE FROM outbox
WHERE id IN (SELECT value FROM json_each(:ids)) AND NOT EXISTS (
    SELECT 1 FROM json_each(:epochs) AS used CROSS JOIN confirmed
        ON board = used.value ->> 0 AND window = used.value ->> 1 AND period = used.value ->> 2
    WHERE epoch <> used.value ->> 3
);

-- name: backlog
-- How much there is in the outbox, up to a number.
SELECT count(*), min(at) FROM (SELECT at FROM outbox ORDER BY id LIMIT :limit);


-- The database itself

-- name: ping
-- Write something, to learn whether that is possible.
INSERT INTO meta (key, value) VALUES ('ping', '1') ON CONFLICT (key) DO UPDATE SET value = excluded.value;


-- Retention

-- name: horizon
-- From when on the history is kept, and the oldest score that waits for a decision.
SELECT at, (SELECT min(accepted_at) FROM reviews JOIN history ON id = submission_id WHERE reviews.state = 'open')
FROM horizon;

-- name: retiring
-- What is counted on a board within some bounds, player by player in fold order.
SELECT player_id, accepted_at, id, score, tiebreakers FROM history
WHERE board = :board AND state = 'counted' AND accepted_at >= :since AND accepted_at < :until
ORDER BY player_id, accepted_at, id;

-- name: put_checkpoint
-- Keep what a player's submissions came to.
INSERT INTO checkpoints (board, player_id, since, score, tiebreakers, achieved_at, last_at, last_id)
VALUES (:board, :player_id, :since, :score, :tiebreakers, :achieved_at, :last_at, :last_id)
ON CONFLICT (board, player_id, since) DO UPDATE SET score = excluded.score, tiebreakers = excluded.tiebreakers,
    achieved_at = excluded.achieved_at, last_at = excluded.last_at, last_id = excluded.last_id;

-- name: checkpoint
-- What those of a player's submissions came to that are not kept.
SELECT score, tiebreakers, achieved_at, last_at, last_id FROM checkpoints
WHERE board = :board AND player_id = :player_id AND since = :since;

-- name: drop_checkpoints
-- Forget the checkpoints of periods that are over.
DELETE FROM checkpoints WHERE board = :board AND since NOT IN (SELECT value FROM json_each(:kept));

-- name: move_horizon
-- From now on, what is older is not kept.
UPDATE horizon SET at = :at;

-- name: sweep_history
-- Forget some of what is older; ids begin with the time, so the oldest are the first.
DELETE FROM history WHERE id IN (
    SELECT id FROM history WHERE accepted_at < (SELECT at FROM horizon) AND id < :before ORDER BY id LIMIT :limit
);
