-- The statements of moderators and admins: players kept out, reviews, and the audit trail.


-- Moderation

-- name: set_status
-- Ban or hide a player, or lift what lies uppermost; until the end of the transaction nothing of theirs is stored.
UPDATE players
SET status = CASE
        WHEN %(status)s = 'banned' OR (%(status)s = 'hidden' AND status = 'banned') THEN 'banned'
        WHEN %(status)s = 'hidden' OR (status = 'banned' AND hides) THEN 'hidden'
        ELSE 'active'
    END,
    hides = CASE %(status)s WHEN 'hidden' THEN true WHEN 'banned' THEN hides ELSE status = 'banned' AND hides END,
    banned_until = CASE %(status)s WHEN 'banned' THEN instant(%(until)s) WHEN 'hidden' THEN banned_until END
WHERE id = %(id)s AND status <> 'erased' AND (%(ended)s::bigint IS NULL OR banned_until <= instant(%(ended)s));

-- name: show_standings
-- Raise the revision of each of a player's standings, which can be seen or not by the player's status.
WITH mine AS (
    SELECT board, "window", period, player_id FROM standings WHERE player_id = %(id)s
    ORDER BY board, "window", period FOR UPDATE
)
UPDATE standings SET revision = standings.revision + 1,
    order_key = CASE WHEN status = 'active' AND score IS NOT NULL THEN
        order_key(ARRAY(SELECT jsonb_array_elements(%(signs)s::jsonb -> standings.board)::integer), score, tiebreakers,
            achieved_at, standings.player_id) END
FROM mine, players
WHERE (standings.board, standings."window", standings.period, standings.player_id)
    = (mine.board, mine."window", mine.period, mine.player_id) AND players.id = standings.player_id;

-- name: show_kept
-- The same of what is kept of them.
UPDATE frozen_standings AS kept SET revision = kept.revision + 1,
    order_key = CASE WHEN status = 'active' AND score IS NOT NULL THEN
        order_key(ARRAY(SELECT jsonb_array_elements(%(signs)s::jsonb -> board)::integer), score, tiebreakers,
            achieved_at, player_id) END
FROM players
WHERE player_id = %(id)s AND players.id = player_id AND kept.revision > 0;

-- name: shown_standings
-- A player's standings, to project them.
SELECT board, "window", period, player_id, shown.revision, order_key, name, players.revision
FROM shown_standings AS shown JOIN players ON players.id = player_id
WHERE player_id = %(id)s ORDER BY board, "window", period;

-- name: set_role
-- Give a player a role.
UPDATE players SET role = %(role)s WHERE id = %(id)s AND status <> 'erased';

-- name: ended_bans
-- Whose ban has ended.
SELECT id FROM players WHERE banned_until <= instant(%(now)s) ORDER BY banned_until LIMIT %(limit)s;

-- name: erase_player
-- Forget who a player was.
UPDATE players
SET status = 'erased', hides = false, banned_until = NULL, name = '', revision = revision + 1, role = 'player',
    username = NULL, skeleton = NULL, password_hash = NULL
WHERE id = %(id)s AND status <> 'erased';

-- name: erase_sessions
-- Forget where a player signed in.
DELETE FROM sessions WHERE player_id = %(id)s RETURNING id;

-- name: erase_history
-- Forget where a player's scores came from and what came with them.
UPDATE history
SET address = '', metadata = NULL, evidence = NULL, state = CASE state WHEN 'held' THEN 'rejected' ELSE state END
WHERE board = ANY (ARRAY(SELECT id FROM boards)) AND player_id = %(id)s;

-- name: erase_reviews
-- Forget what was found and written about a player's scores; none of them waits any longer.
UPDATE reviews
SET evidence = '[]', notes = '[]', reason = NULL, state = CASE state WHEN 'open' THEN 'rejected' ELSE state END
WHERE player_id = %(id)s;

-- name: erase_details
-- Forget what the trail tells of a player besides what was done.
UPDATE audit SET detail = NULL WHERE subject = %(id)s AND detail IS NOT NULL;

-- name: players
-- Players by id whose id, name or username begins with something; each kind is found by an index of its own.
SELECT id, name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until)
FROM players WHERE id IN (
    (
        SELECT id FROM players
        WHERE id > %(after)s AND id >= %(query)s AND id < %(query)s || chr(1114111)
            AND (%(status)s::text IS NULL OR status = %(status)s)
        ORDER BY id LIMIT %(limit)s
    )
    UNION
    (
        SELECT id FROM players
        WHERE lower(name) COLLATE "C" >= lower(%(query)s) AND lower(name) COLLATE "C" < lower(%(query)s) || chr(1114111)
            AND id > %(after)s AND (%(status)s::text IS NULL OR status = %(status)s)
        ORDER BY id LIMIT %(limit)s
    )
    UNION
    (
        SELECT id FROM players
        WHERE skeleton >= %(skeleton)s AND skeleton < %(skeleton)s || chr(1114111) AND id > %(after)s
            AND (%(status)s::text IS NULL OR status = %(status)s)
        ORDER BY id LIMIT %(limit)s
    )
)
ORDER BY id LIMIT %(limit)s;

-- name: all_players
-- Players by id.
SELECT id, name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until)
FROM players WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: players_of_status
-- Players by id who are kept out in one way.
SELECT id, name, role, microseconds(created_at), revision, username, status IN ('banned', 'erased'),
    status = 'hidden', status = 'erased', microseconds(banned_until)
FROM players WHERE status = %(status)s AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: hidden_standing
-- What a hidden player would be seen with.
SELECT name, score, tiebreakers, microseconds(achieved_at) FROM shown_standings JOIN players ON players.id = player_id
WHERE board = %(board)s AND "window" = %(window)s AND period = %(period)s AND player_id = %(player_id)s AND status = 'hidden'
    AND score IS NOT NULL;

-- name: places
-- A player's standings, to show them together.
SELECT board, "window", period, score, microseconds(achieved_at) FROM standings WHERE player_id = %(player_id)s
ORDER BY board, "window", period LIMIT %(limit)s;


-- Reviews

-- name: reviews
-- Reviews by submission; one board's, one player's, one state's or one rule's where told.
SELECT history.id::text, history.player_id, history.board, action, score, tiebreakers, metadata,
    microseconds(accepted_at), history.state, address, name, status, reviews.evidence, rules_revision, reviews.state,
    claimed_by, microseconds(lease_until), decided_by, microseconds(decided_at), reason, notes::text
FROM reviews JOIN history ON history.id = submission_id JOIN players ON players.id = reviews.player_id
WHERE submission_id > %(after)s::uuid AND (%(state)s::text IS NULL OR reviews.state = %(state)s)
    AND (%(board)s::text IS NULL OR reviews.board = %(board)s)
    AND (%(player_id)s::text IS NULL OR reviews.player_id = %(player_id)s)
    AND (%(rule)s::text IS NULL
        OR EXISTS (SELECT FROM json_array_elements(reviews.evidence::json) AS each WHERE each ->> 'rule' = %(rule)s))
ORDER BY submission_id LIMIT %(limit)s;

-- name: review
-- One review.
SELECT history.id::text, history.player_id, history.board, action, score, tiebreakers, metadata,
    microseconds(accepted_at), history.state, address, name, status, reviews.evidence, rules_revision, reviews.state,
    claimed_by, microseconds(lease_until), decided_by, microseconds(decided_at), reason, notes::text
FROM reviews JOIN history ON history.id = submission_id JOIN players ON players.id = reviews.player_id
WHERE submission_id = %(id)s;

-- name: open_reviews
-- How many wait for a decision, up to a number.
SELECT count(*) FROM (SELECT FROM reviews WHERE state = 'open' LIMIT %(limit)s) AS open;

-- name: claim_review
-- Take an open review, unless another has it.
UPDATE reviews SET claimed_by = %(by)s, lease_until = instant(%(until)s)
WHERE submission_id = %(id)s AND state = 'open'
    AND (claimed_by IS NULL OR claimed_by = %(by)s OR lease_until <= instant(%(now)s));

-- name: release_review
-- Give a review back.
UPDATE reviews SET claimed_by = NULL, lease_until = NULL
WHERE submission_id = %(id)s AND state = 'open' AND claimed_by = %(by)s;

-- name: note_review
-- Add a note to a review.
UPDATE reviews SET notes = notes || jsonb_build_array(%(note)s::jsonb)
WHERE submission_id = %(id)s AND jsonb_array_length(notes) < %(most)s;

-- name: decide_review
-- Decide a review, if nobody did and nobody else is at it: compare and set.
UPDATE reviews SET state = %(state)s, decided_by = %(by)s, decided_at = instant(%(at)s), reason = %(reason)s
WHERE submission_id = %(id)s AND state = 'open'
    AND (claimed_by IS NULL OR claimed_by = %(by)s OR lease_until <= instant(%(at)s));

-- name: decide_submission
-- What becomes of a held submission.
UPDATE history SET state = %(state)s WHERE id = %(id)s AND state = 'held';

-- name: lock_player
-- Keep a player from being banned until the end of the transaction.
SELECT FROM players WHERE id = %(id)s FOR SHARE;

-- name: make_standings
-- Have rows for a player's standings in some periods.
INSERT INTO standings (board, "window", period, player_id, revision)
SELECT %(board)s, place."window", place.period, %(player_id)s, 0
FROM unnest(%(windows)s::text[], %(periods)s::text[]) AS place ("window", period)
ORDER BY 2, 3
ON CONFLICT DO NOTHING;

-- name: board_sample
-- What was counted on a board of late.
SELECT id::text, player_id, board, action, score, tiebreakers, metadata, microseconds(accepted_at), state
FROM (SELECT * FROM history ORDER BY id DESC LIMIT %(looked_at)s) AS newest
WHERE board = %(board)s AND state = 'counted' LIMIT %(limit)s;


-- Audit

-- name: add_audit
-- Append entries.
INSERT INTO audit (at, actor, act, subject, detail, chain, number, digest, previous, hash)
SELECT instant((entry ->> 0)::bigint), entry ->> 1, entry ->> 2, entry ->> 3, entry ->> 4, entry ->> 5,
    (entry ->> 6)::bigint, decode(entry ->> 7, 'hex'), decode(entry ->> 8, 'hex'), decode(entry ->> 9, 'hex')
FROM json_array_elements(%(entries)s) WITH ORDINALITY AS each (entry, n) ORDER BY n;

-- name: audit
-- Entries before a place in the trail, newest first.
SELECT microseconds(at), actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE (at, chain, number) < (instant(%(at)s), %(chain)s, %(number)s) AND at >= instant(%(since)s)
    AND (%(actor)s::text IS NULL OR actor = %(actor)s)
    AND (%(act)s::text IS NULL OR act = %(act)s OR starts_with(act, %(act)s || '.'))
ORDER BY at DESC, chain DESC, number DESC LIMIT %(limit)s;

-- name: audit_of
-- Entries about one subject before a place in the trail, newest first.
SELECT microseconds(at), actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE subject = %(subject)s AND (at, chain, number) < (instant(%(at)s), %(chain)s, %(number)s)
    AND at >= instant(%(since)s) AND (%(actor)s::text IS NULL OR actor = %(actor)s)
    AND (%(act)s::text IS NULL OR act = %(act)s OR starts_with(act, %(act)s || '.'))
ORDER BY at DESC, chain DESC, number DESC LIMIT %(limit)s;

-- name: audit_heads
-- The last entry of each chain, found by jumping from one chain to the one before.
WITH RECURSIVE chains (chain) AS (
    SELECT max(chain) FROM audit
    UNION ALL
    SELECT (SELECT max(chain) FROM audit WHERE chain < chains.chain) FROM chains WHERE chain IS NOT NULL
)
SELECT last.chain, last.number, last.hash, last.act
FROM (SELECT chain FROM chains WHERE chain IS NOT NULL LIMIT %(limit)s) AS found
CROSS JOIN LATERAL (
    SELECT chain, number, hash, act FROM audit WHERE audit.chain = found.chain ORDER BY number DESC LIMIT 1
) AS last
ORDER BY 1 DESC;

-- name: audit_kept
-- Where each chain begins once what is older is let go. Its time never goes back.
WITH RECURSIVE chains (chain) AS (
    SELECT max(chain) FROM audit
    UNION ALL
    SELECT (SELECT max(chain) FROM audit WHERE chain < chains.chain) FROM chains WHERE chain IS NOT NULL
)
SELECT chain, coalesce(
    (SELECT number FROM audit WHERE audit.chain = chains.chain AND at >= instant(%(since)s) ORDER BY number LIMIT 1),
    (SELECT max(number) + 1 FROM audit WHERE audit.chain = chains.chain))
FROM chains
WHERE chain IS NOT NULL
    AND (SELECT at FROM audit WHERE audit.chain = chains.chain ORDER BY number LIMIT 1) < instant(%(since)s);

-- name: drop_audit
-- Forget the months of old entries that have tables of their own.
SELECT drop_partitions('audit', instant(%(before)s));

-- name: sweep_audit
-- Forget some old entries that are in no table of a month.
DELETE FROM audit_default WHERE ctid IN (
    SELECT ctid FROM audit_default WHERE at < instant(%(before)s) ORDER BY at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
);

-- name: audit_chain
-- A page of a chain.
SELECT microseconds(at), actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE chain = %(chain)s AND number > %(after)s ORDER BY number LIMIT %(limit)s;
