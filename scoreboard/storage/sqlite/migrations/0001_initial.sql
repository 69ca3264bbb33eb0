-- The whole schema. Instants are integers in microseconds since the Unix epoch; JSON is text.

-- Small facts about this database itself.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who scores. The credentials are NULL for a backend's own players; `revision` counts changes of the name. A ban ends by
-- itself at `banned_until`, if that is set; `hides` tells whether the player is then hidden.
CREATE TABLE players (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'banned', 'hidden', 'erased')),
    hides INTEGER NOT NULL DEFAULT 0 CHECK (hides IN (0, 1)),
    banned_until INTEGER,
    role TEXT NOT NULL CHECK (role IN ('player', 'moderator', 'admin')),
    username TEXT,
    skeleton TEXT,
    password_hash TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX players_skeleton ON players (skeleton) WHERE skeleton IS NOT NULL;
CREATE INDEX players_admin ON players (role) WHERE role = 'admin';
CREATE INDEX players_name ON players (lower(name), id);
CREATE INDEX players_status ON players (status, id) WHERE status <> 'active';
CREATE INDEX players_banned_until ON players (banned_until) WHERE banned_until IS NOT NULL;

-- Sign-ins: one family of refresh tokens each.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    player_id TEXT NOT NULL REFERENCES players (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    token_hash BLOB NOT NULL,
    counter INTEGER NOT NULL,
    previous_hash BLOB,
    rotated_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    revoked_at INTEGER,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_live ON sessions (player_id, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_player ON sessions (player_id);

-- Credentials of backends; `scopes` is a JSON array.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Boards; `settings` is the JSON of BoardSettings. A deleted one is kept with all that was scored on it. What came after
-- `frozen_at` is kept from view; at `freezes_at` a board will be frozen.
CREATE TABLE boards (
    id TEXT NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    frozen_at INTEGER,
    freezes_at INTEGER
) STRICT, WITHOUT ROWID;

-- A player's score on a board period. Never deleted. `score` to `last_id` are NULL where nothing is counted,
-- `order_key` is NULL where the standing must not be seen. It has no index: positions are looked up in the ranking, and
-- an index would be written in two random places by every score.
CREATE TABLE standings (
    board TEXT NOT NULL REFERENCES boards (id),
    window TEXT NOT NULL,
    period TEXT NOT NULL,
    player_id TEXT NOT NULL REFERENCES players (id),
    score INTEGER,
    tiebreakers TEXT,
    achieved_at INTEGER,
    last_at INTEGER,
    last_id TEXT,
    revision INTEGER NOT NULL,
    order_key BLOB,
    PRIMARY KEY (board, window, period, player_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX standings_player ON standings (player_id);

-- What is shown of standings that have moved since their board was frozen: what they were then. `revision` is 0 where
-- there was none; it rises with the player's status.
CREATE TABLE frozen_standings (
    board TEXT NOT NULL REFERENCES boards (id),
    window TEXT NOT NULL,
    period TEXT NOT NULL,
    player_id TEXT NOT NULL,
    score INTEGER,
    tiebreakers TEXT,
    achieved_at INTEGER,
    revision INTEGER NOT NULL,
    order_key BLOB,
    PRIMARY KEY (board, window, period, player_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX frozen_standings_player ON frozen_standings (player_id);

-- Standings as all may see them. Whatever a ranking is made of is read from here.
CREATE VIEW shown_standings AS
SELECT board, window, period, player_id,
    iif(kept.revision IS NULL, live.score, kept.score) AS score,
    iif(kept.revision IS NULL, live.tiebreakers, kept.tiebreakers) AS tiebreakers,
    iif(kept.revision IS NULL, live.achieved_at, kept.achieved_at) AS achieved_at,
    iif(kept.revision IS NULL, live.revision, kept.revision) AS revision,
    iif(kept.revision IS NULL, live.order_key, kept.order_key) AS order_key
FROM standings AS live LEFT JOIN frozen_standings AS kept USING (board, window, period, player_id)
WHERE kept.revision IS NOT 0;

-- Every submission that took its action id. `evidence` is that of the rules; a held one has it in its review.
CREATE TABLE history (
    id TEXT NOT NULL PRIMARY KEY,
    board TEXT NOT NULL REFERENCES boards (id),
    player_id TEXT NOT NULL REFERENCES players (id),
    accepted_at INTEGER NOT NULL,
    score INTEGER NOT NULL,
    tiebreakers TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('counted', 'held', 'rejected', 'voided')),
    action TEXT,
    metadata TEXT,
    evidence TEXT,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX history_player ON history (board, player_id, accepted_at, id);

-- What is shown of submissions that have come or changed since their board was frozen: the state that they had then, NULL
-- where there were none.
CREATE TABLE frozen_history (
    board TEXT NOT NULL REFERENCES boards (id),
    submission_id TEXT NOT NULL,
    state TEXT,
    PRIMARY KEY (board, submission_id)
) STRICT, WITHOUT ROWID;

-- What was counted before the horizon is not kept, but for what it came to: for each player and beginning of a period.
CREATE TABLE checkpoints (
    board TEXT NOT NULL REFERENCES boards (id),
    player_id TEXT NOT NULL REFERENCES players (id),
    since INTEGER NOT NULL,
    score INTEGER NOT NULL,
    tiebreakers TEXT NOT NULL,
    achieved_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_id TEXT NOT NULL,
    PRIMARY KEY (board, player_id, since)
) STRICT, WITHOUT ROWID;
CREATE TABLE horizon (at INTEGER NOT NULL) STRICT;
INSERT INTO horizon (at) VALUES (-9223372036854775807);

-- Taken action ids and what the first use was answered; forgotten after `kept_until`. `fingerprint` is hexadecimal.
-- The ids are random: with rows in the order of arrival only a thin index is written in random places.
CREATE TABLE actions (
    action_id TEXT NOT NULL UNIQUE,
    submission_id TEXT NOT NULL,
    board TEXT NOT NULL,
    player_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('accepted', 'held', 'rejected')),
    code TEXT,
    score INTEGER,
    previous INTEGER,
    applied INTEGER NOT NULL CHECK (applied IN (0, 1)),
    fingerprint TEXT,
    kept_until INTEGER NOT NULL
) STRICT;
CREATE INDEX actions_kept_until ON actions (kept_until);

-- Idempotency keys of whole batches, and the digest of the request that took each.
CREATE TABLE claims (
    id TEXT NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_kept_until ON claims (kept_until);

-- Held submissions. `rules_revision` is the revision of the board whose rules held it; a claim lasts until `lease_until`.
-- `notes` is a JSON array of [at, by, text].
CREATE TABLE reviews (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES history (id),
    board TEXT NOT NULL REFERENCES boards (id),
    player_id TEXT NOT NULL REFERENCES players (id),
    evidence TEXT NOT NULL,
    rules_revision INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'rejected')),
    claimed_by TEXT,
    lease_until INTEGER,
    decided_by TEXT,
    decided_at INTEGER,
    reason TEXT,
    notes TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_state ON reviews (state, submission_id);
CREATE INDEX reviews_player ON reviews (player_id, submission_id);

-- Who did what. Each writing process numbers its entries, and each entry's hash covers the one before it; `digest` stands
-- for the detail, which is NULL once its subject was erased.
CREATE TABLE audit (
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT,
    chain TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at, chain, number);
CREATE INDEX audit_chain ON audit (chain, number);
CREATE INDEX audit_subject ON audit (subject, at, chain, number);

-- Transactions whose standings are perhaps not yet projected; `touched` is a JSON array of
-- [board, window, period, player]. An id is never used again, so that settling twice is harmless.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    touched TEXT NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The epoch last issued for each period.
CREATE TABLE epochs (
    board TEXT NOT NULL,
    window TEXT NOT NULL,
    period TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (board, window, period)
) STRICT, WITHOUT ROWID;

-- The ranking that stands for each period: the epoch it was built under, and which process holds it.
CREATE TABLE confirmed (
    board TEXT NOT NULL,
    window TEXT NOT NULL,
    period TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    home TEXT NOT NULL,
    PRIMARY KEY (board, window, period)
) STRICT, WITHOUT ROWID;

-- Who is told of events: `events` is a JSON array of their names, `board` is NULL for those of all boards. The ends of
-- periods, if it asks for them now, it has asked for since `since`. A secret that was replaced signs beside the new one until `previous_until`.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    board TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    since INTEGER NOT NULL,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One event for one webhook. Whoever delivers it moves `due_at` on before, so that nobody else does meanwhile. `data` is
-- JSON, and forgotten once it has been delivered or given up; `status` is that of the last answer.
CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY DEFAULT ('msg_' || lower(hex(randomblob(16)))),
    webhook_id TEXT NOT NULL,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    status INTEGER,
    error TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (webhook_id, state, due_at);
CREATE INDEX webhook_deliveries_due_at ON webhook_deliveries (due_at);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, at, id);

-- Periods that are over and were told of as such.
CREATE TABLE finalized (
    board TEXT NOT NULL,
    window TEXT NOT NULL,
    period TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (board, window, period)
) STRICT, WITHOUT ROWID;
CREATE INDEX finalized_at ON finalized (at);

-- What is inserted here is told to each webhook that asks for it, in the same transaction; `board` is NULL where the event
-- is of no one board.
CREATE VIEW events (event, board, at, data) AS SELECT NULL, NULL, NULL, NULL WHERE 0;
CREATE TRIGGER events_told INSTEAD OF INSERT ON events BEGIN
    INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at)
    SELECT id, NEW.event, NEW.at, NEW.data, NEW.at FROM webhooks
    WHERE enabled AND (board IS NULL OR NEW.board IS NULL OR board = NEW.board)
        AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = NEW.event);
END;

CREATE TRIGGER reviews_told AFTER INSERT ON reviews BEGIN
    INSERT INTO events (event, board, at, data)
    SELECT 'submission.held', board, accepted_at, json_object('submission_id', id, 'board', board, 'player_id', player_id,
        'score', score, 'at', accepted_at)
    FROM history WHERE id = NEW.submission_id;
END;

CREATE TRIGGER decisions_told AFTER INSERT ON audit
WHEN NEW.act IN ('review.approve', 'review.reject', 'submission.void') BEGIN
    INSERT INTO events (event, board, at, data)
    SELECT CASE NEW.act WHEN 'review.approve' THEN 'submission.approved' WHEN 'review.reject' THEN 'submission.rejected'
        ELSE 'submission.voided' END,
        board, NEW.at, json_object('submission_id', id, 'board', board, 'player_id', player_id, 'score', score,
            'at', accepted_at, 'by', NEW.actor)
    FROM history WHERE id = NEW.subject;
END;

CREATE TRIGGER players_told AFTER INSERT ON audit
WHEN NEW.act IN ('player.ban', 'player.hide', 'player.lift', 'player.erase') BEGIN
    INSERT INTO events (event, at, data)
    VALUES (
        CASE NEW.act WHEN 'player.ban' THEN 'player.banned' WHEN 'player.hide' THEN 'player.hidden'
            WHEN 'player.lift' THEN 'player.lifted' ELSE 'player.erased' END,
        NEW.at,
        json_object('player_id', NEW.subject, 'until', NEW.detail ->> 'until', 'by', NEW.actor)
    );
END;
