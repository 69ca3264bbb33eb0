-- The statements of moderators and admins: players kept out, reviews, and the audit trail.


-- Moderation

-- name: set_status
-- Ban or hide a player, or lift what lies uppermost; what its projections need to know of it.
UPDATE players
SET status = CASE
        WHEN :status = 'banned' OR (:status = 'hidden' AND status = 'banned') THEN 'banned'
        WHEN :status = 'hidden' OR (status = 'banned' AND hides) THEN 'hidden'
        ELSE 'active'
    END,
    hides = CASE :status WHEN 'hidden' THEN 1 WHEN 'banned' THEN hides ELSE status = 'banned' AND hides END,
    banned_until = CASE :status WHEN 'banned' THEN :until WHEN 'hidden' THEN banned_until END
WHERE id = :id AND status <> 'erased' AND (:ended IS NULL OR banned_until <= :ended)
RETURNING id, name, revision, status;

-- name: set_role
-- Give a player a role.
UPDATE players SET role = :role WHERE id = :id AND status <> 'erased';

-- name: ended_bans
-- Whose ban has ended.
SELECT id FROM players WHERE banned_until <= :now ORDER BY banned_until LIMIT :limit;

-- name: erase_player
-- Forget who a player was; what its projections need to know of it.
UPDATE players
SET status = 'erased', hides = 0, banned_until = NULL, name = '', revision = revision + 1, role = 'player',
    username = NULL, skeleton = NULL, password_hash = NULL
WHERE id = :id AND status <> 'erased'
RETURNING id, name, revision, status;

-- name: erase_sessions
-- Forget where a player signed in.
DELETE FROM sessions WHERE player_id = :id RETURNING id;

-- name: erase_history
-- Forget where a player's scores came from and what came with them.
UPDATE history
SET address = '', metadata = NULL, evidence = NULL, state = CASE state WHEN 'held' THEN 'rejected' ELSE state END
WHERE board IN (SELECT id FROM boards) AND player_id = :id;

-- name: erase_reviews
-- Forget what was found and written about a player's scores; none of them waits any longer.
UPDATE reviews
SET evidence = '[]', notes = '[]', reason = NULL, state = CASE state WHEN 'open' THEN 'rejected' ELSE state END
WHERE player_id = :id;

-- name: erase_details
-- Forget what the trail tells of a player besides what was done.
UPDATE audit SET detail = NULL WHERE subject = :id AND detail IS NOT NULL;

-- name: players
-- Players by id whose id, name or username begins with something; each kind is found by an index of its own.
SELECT id, name, role, created_at, revision, username, status IN ('banned', 'erased'), status = 'hidden',
    status = 'erased', banned_until
FROM players WHERE id IN (
    SELECT * FROM (
        SELECT id FROM players
        WHERE id > :after AND id >= :query AND id < :query || char(1114111) AND (:status IS NULL OR status = :status)
        ORDER BY id LIMIT :limit
    )
    UNION
    SELECT * FROM (
        SELECT id FROM players
        WHERE lower(name) >= lower(:query) AND lower(name) < lower(:query) || char(1114111) AND id > :after
            AND (:status IS NULL OR status = :status)
        ORDER BY id LIMIT :limit
    )
    UNION
    SELECT * FROM (
        SELECT id FROM players
        WHERE skeleton >= :skeleton AND skeleton < :skeleton || char(1114111) AND id > :after
            AND (:status IS NULL OR status = :status)
        ORDER BY id LIMIT :limit
    )
)
ORDER BY id LIMIT :limit;

-- name: all_players
-- Players by id.
SELECT id, name, role, created_at, revision, username, status IN ('banned', 'erased'), status = 'hidden',
    status = 'erased', banned_until
FROM players WHERE id > :after ORDER BY id LIMIT :limit;

-- name: players_of_status
-- Players by id who are kept out in one way.
SELECT id, name, role, created_at, revision, username, status IN ('banned', 'erased'), status = 'hidden',
    status = 'erased', banned_until
FROM players WHERE status = :status AND id > :after ORDER BY id LIMIT :limit;

-- name: hidden_standing
-- What a hidden player would be seen with.
SELECT name, score, tiebreakers, achieved_at FROM shown_standings CROSS JOIN players ON players.id = player_id
WHERE board = :board AND window = :window AND period = :period AND player_id = :player_id AND status = 'hidden'
    AND score IS NOT NULL;

-- name: places
-- A player's standings, to show them together.
SELECT board, window, period, score, achieved_at FROM standings WHERE player_id = :player_id
ORDER BY board, window, period LIMIT :limit;


-- Reviews

-- name: reviews
-- Reviews by submission; one board's, one player's, one state's or one rule's where told.
SELECT history.id, history.player_id, history.board, action, score, tiebreakers, metadata, accepted_at, history.state,
    address, name, status, reviews.evidence, rules_revision, reviews.state, claimed_by, lease_until, decided_by,
    decided_at, reason, notes
FROM reviews CROSS JOIN history ON history.id = submission_id CROSS JOIN players ON players.id = reviews.player_id
WHERE submission_id > :after AND (:state IS NULL OR reviews.state = :state)
    AND (:board IS NULL OR reviews.board = :board) AND (:player_id IS NULL OR reviews.player_id = :player_id)
    AND (:rule IS NULL OR EXISTS (SELECT 1 FROM json_each(reviews.evidence) WHERE value ->> 'rule' = :rule))
ORDER BY submission_id LIMIT :limit;

-- name: review
-- One review.
SELECT history.id, history.player_id, history.board, action, score, tiebreakers, metadata, accepted_at, history.state,
    address, name, status, reviews.evidence, rules_revision, reviews.state, claimed_by, lease_until, decided_by,
    decided_at, reason, notes
FROM reviews CROSS JOIN history ON history.id = submission_id CROSS JOIN players ON players.id = reviews.player_id
WHERE submission_id = :id;

-- name: open_reviews
-- How many wait for a decision, up to a number.
SELECT count(*) FROM (SELECT 1 FROM reviews WHERE state = 'open' LIMIT :limit);

-- name: claim_review
-- Take an open review, unless another has it.
UPDATE reviews SET claimed_by = :by, lease_until = :until
WHERE submission_id = :id AND state = 'open' AND (claimed_by IS NULL OR claimed_by = :by OR lease_until <= :now);

-- name: release_review
-- Give a review back.
UPDATE reviews SET claimed_by = NULL, lease_until = NULL
WHERE submission_id = :id AND state = 'open' AND claimed_by = :by;

-- name: note_review
-- Add a note to a review.
UPDATE reviews SET notes = json_insert(notes, '$[#]', json(:note))
WHERE submission_id = :id AND json_array_length(notes) < :most;

-- name: decide_review
-- Decide a review, if nobody did and nobody else is at it: compare and set.
UPDATE reviews SET state = :state, decided_by = :by, decided_at = :at, reason = :reason
WHERE submission_id = :id AND state = 'open' AND (claimed_by IS NULL OR claimed_by = :by OR lease_until <= :at)
RETURNING board, player_id;

-- name: decide_submission
-- What becomes of a held submission.
UPDATE history SET state = :state WHERE id = :id AND state = 'held';

-- name: board_sample
-- What was counted on a board of late.
SELECT id, player_id, board, action, score, tiebreakers, metadata, accepted_at, state
FROM (SELECT * FROM history ORDER BY id DESC LIMIT :looked_at) WHERE board = :board AND state = 'counted' LIMIT :limit;


-- Audit

-- name: add_audit
-- Append entries.
INSERT INTO audit (at, actor, act, subject, detail, chain, number, digest, previous, hash)
SELECT * FROM rows WHERE column2 <> 0;

-- name: audit
-- Entries before a place in the trail, newest first.
SELECT at, actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE (at, chain, number) < (:at, :chain, :number) AND at >= :since AND (:actor IS NULL OR actor = :actor)
    AND (:act IS NULL OR act = :act OR (act > :act || '.' AND act < :act || '/'))
ORDER BY at DESC, chain DESC, number DESC LIMIT :limit;

-- name: audit_of
-- Entries about one subject before a place in the trail, newest first.
SELECT at, actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE subject = :subject AND (at, chain, number) < (:at, :chain, :number) AND at >= :since
    AND (:actor IS NULL OR actor = :actor)
    AND (:act IS NULL OR act = :act OR (act > :act || '.' AND act < :act || '/'))
ORDER BY at DESC, chain DESC, number DESC LIMIT :limit;

-- name: audit_heads
-- The last entry of each chain, found by jumping from one chain to the one before.
WITH RECURSIVE chains (chain) AS (
    SELECT max(chain) FROM audit
    UNION ALL
    SELECT (SELECT max(chain) FROM audit WHERE chain < chains.chain) FROM chains WHERE chain IS NOT NULL
)
SELECT last.chain, last.number, hash, act
FROM (
    SELECT chain, (SELECT max(number) FROM audit WHERE audit.chain = chains.chain) AS number
    FROM chains WHERE chain IS NOT NULL LIMIT :limit
) AS last
CROSS JOIN audit ON audit.chain = last.chain AND audit.number = last.number
ORDER BY last.chain DESC;

-- name: audit_kept
-- Where each chain begins once what is older is let go. Its time never goes back.
WITH RECURSIVE chains (chain) AS (
    SELECT max(chain) FROM audit
    UNION ALL
    SELECT (SELECT max(chain) FROM audit WHERE chain < chains.chain) FROM chains WHERE chain IS NOT NULL
)
SELECT chain, coalesce(
    (SELECT number FROM audit WHERE audit.chain = chains.chain AND at >= :since ORDER BY number LIMIT 1),
    (SELECT max(number) + 1 FROM audit WHERE audit.chain = chains.chain))
FROM chains
WHERE chain IS NOT NULL
    AND (SELECT at FROM audit WHERE audit.chain = chains.chain ORDER BY number LIMIT 1) < :since;

-- name: sweep_audit
-- Forget some old entries.
DELETE FROM audit WHERE rowid IN (SELECT rowid FROM audit WHERE at < :before ORDER BY at LIMIT :limit);

-- name: audit_chain
-- A page of a chain.
SELECT at, actor, act, subject, detail, chain, number, digest, previous, hash FROM audit
WHERE chain = :chain AND number > :after ORDER BY number LIMIT :limit;
