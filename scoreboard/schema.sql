-- The whole schema for PostgreSQL 15 and newer. Ids compare byte by byte (COLLATE "C"), everywhere in the same order.
-- Numbered migrations in storage/postgres/migrations lead an older database to the same.

-- Which migrations have been applied.
CREATE TABLE schema_version (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Instants travel as microseconds since 1970, which timestamptz holds exactly and floating point would not. What is
-- called for each row is no more than STABLE where what it calls is that: only so is it made a part of the statement.
CREATE FUNCTION instant(us bigint) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN timestamptz 'epoch' + us * interval '1 microsecond';

CREATE FUNCTION microseconds(at timestamptz) RETURNS bigint
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (extract(epoch FROM at) * 1000000)::bigint;


-- Who scores. The credentials are NULL for a backend's own players; `revision` counts changes of the name. A ban ends by
-- itself at `banned_until`, if that is set; `hides` tells whether the player is then hidden.
CREATE TABLE players (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'banned', 'hidden', 'erased')),
    hides boolean NOT NULL DEFAULT false,
    banned_until timestamptz,
    role text NOT NULL DEFAULT 'player' CHECK (role IN ('player', 'moderator', 'admin')),
    username text,
    skeleton text COLLATE "C",
    password_hash text,
    created_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX players_skeleton ON players (skeleton) WHERE skeleton IS NOT NULL;
CREATE INDEX players_admin ON players (role) WHERE role = 'admin';
CREATE INDEX players_name ON players ((lower(name) COLLATE "C"), id);
CREATE INDEX players_status ON players (status, id) WHERE status <> 'active';
CREATE INDEX players_banned_until ON players (banned_until) WHERE banned_until IS NOT NULL;

-- Sign-ins: one family of refresh tokens each.
CREATE TABLE sessions (
    id text COLLATE "C" PRIMARY KEY,
    player_id text COLLATE "C" NOT NULL REFERENCES players (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    token_hash bytea NOT NULL,
    counter integer NOT NULL,
    previous_hash bytea,
    rotated_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    revoked_at timestamptz,
    address text NOT NULL,
    user_agent text NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX sessions_live ON sessions (player_id, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_player ON sessions (player_id);

-- Credentials of backends.
CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- Boards; `settings` has the keys of the configuration. A deleted one is kept with all that was scored on it. What came
-- after `frozen_at` is kept from view; at `freezes_at` a board will be frozen.
CREATE TABLE boards (
    id text COLLATE "C" PRIMARY KEY,
    settings json NOT NULL,
    revision integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    frozen_at timestamptz,
    freezes_at timestamptz
);

-- A player's score on a board period. Never deleted. `score` to `last_id` are NULL where nothing is counted,
-- `order_key` is NULL where the standing must not be seen. Pages keep room, so that a score that does not change its
-- place in the order is written without touching an index.
CREATE TABLE standings (
    board text COLLATE "C" NOT NULL REFERENCES boards (id),
    "window" text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    player_id text COLLATE "C" NOT NULL REFERENCES players (id),
    score bigint,
    tiebreakers bigint[],
    achieved_at timestamptz,
    last_at timestamptz,
    last_id uuid,
    revision bigint NOT NULL,
    order_key bytea,
    PRIMARY KEY (board, "window", period, player_id)
) WITH (fillfactor = 70);
CREATE INDEX standings_order ON standings (board, "window", period, order_key) WHERE order_key IS NOT NULL;
CREATE INDEX standings_player ON standings (player_id);

-- What is shown of standings that have moved since their board was frozen: what they were then. `revision` is 0 where
-- there was none; it rises with the player's status.
CREATE TABLE frozen_standings (
    board text COLLATE "C" NOT NULL,
    "window" text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    player_id text COLLATE "C" NOT NULL,
    score bigint,
    tiebreakers bigint[],
    achieved_at timestamptz,
    revision bigint NOT NULL,
    order_key bytea,
    PRIMARY KEY (board, "window", period, player_id)
);
CREATE INDEX frozen_standings_order ON frozen_standings (board, "window", period, order_key) WHERE order_key IS NOT NULL;
CREATE INDEX frozen_standings_player ON frozen_standings (player_id);

-- Standings as all may see them. Whatever a ranking is made of is read from here.
CREATE VIEW shown_standings AS
SELECT live.board, live."window", live.period, live.player_id,
    CASE WHEN kept.revision IS NULL THEN live.score ELSE kept.score END AS score,
    CASE WHEN kept.revision IS NULL THEN live.tiebreakers ELSE kept.tiebreakers END AS tiebreakers,
    CASE WHEN kept.revision IS NULL THEN live.achieved_at ELSE kept.achieved_at END AS achieved_at,
    CASE WHEN kept.revision IS NULL THEN live.revision ELSE kept.revision END AS revision,
    CASE WHEN kept.revision IS NULL THEN live.order_key ELSE kept.order_key END AS order_key
FROM standings AS live LEFT JOIN frozen_standings AS kept USING (board, "window", period, player_id)
WHERE kept.revision IS DISTINCT FROM 0;

-- Every submission that took its action id, by month. `evidence` is that of the rules; a held one has it in its review.
-- No foreign keys: the only writer has locked player and board, and each check would cost as much as the row.
CREATE TABLE history (
    id uuid NOT NULL,
    board text COLLATE "C" NOT NULL,
    player_id text COLLATE "C" NOT NULL,
    accepted_at timestamptz NOT NULL,
    score bigint NOT NULL,
    tiebreakers bigint[] NOT NULL,
    state text NOT NULL CHECK (state IN ('counted', 'held', 'rejected', 'voided')),
    action text,
    metadata text,
    evidence text,
    address text NOT NULL,
    PRIMARY KEY (id, accepted_at)
) PARTITION BY RANGE (accepted_at);
CREATE INDEX history_player ON history (board, player_id, accepted_at, id);
CREATE TABLE history_default PARTITION OF history DEFAULT;

-- What is shown of submissions that have come or changed since their board was frozen: the state that they had then, NULL
-- where there were none.
CREATE TABLE frozen_history (
    board text COLLATE "C" NOT NULL,
    submission_id uuid NOT NULL,
    state text,
    PRIMARY KEY (board, submission_id)
);

-- What was counted before the horizon is not kept, but for what it came to: for each player and beginning of a period.
CREATE TABLE checkpoints (
    board text COLLATE "C" NOT NULL,
    player_id text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    score numeric NOT NULL,
    tiebreakers bigint[] NOT NULL,
    achieved_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    last_id uuid NOT NULL,
    PRIMARY KEY (board, player_id, since)
);
CREATE TABLE horizon (at timestamptz NOT NULL);
INSERT INTO horizon (at) VALUES ('-infinity');

-- Taken action ids and what the first use was answered; forgotten after `kept_until`. Not partitioned: only so is an id
-- unique.
CREATE TABLE actions (
    action_id text COLLATE "C" PRIMARY KEY,
    submission_id uuid NOT NULL,
    board text COLLATE "C" NOT NULL,
    player_id text COLLATE "C" NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'held', 'rejected')),
    code text,
    score bigint,
    previous bigint,
    applied boolean NOT NULL,
    fingerprint text,
    kept_until timestamptz NOT NULL
);
CREATE INDEX actions_kept_until ON actions (kept_until);

-- Idempotency keys of whole batches, and the digest of the request that took each.
CREATE TABLE claims (
    id text COLLATE "C" PRIMARY KEY,
    fingerprint bytea NOT NULL,
    kept_until timestamptz NOT NULL
);
CREATE INDEX claims_kept_until ON claims (kept_until);

-- Held submissions. `rules_revision` is the revision of the board whose rules held it; a claim lasts until `lease_until`.
-- `notes` is an array of [at, by, text].
CREATE TABLE reviews (
    submission_id uuid PRIMARY KEY,
    board text COLLATE "C" NOT NULL REFERENCES boards (id),
    player_id text COLLATE "C" NOT NULL REFERENCES players (id),
    evidence text NOT NULL,
    rules_revision integer NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'rejected')),
    claimed_by text,
    lease_until timestamptz,
    decided_by text,
    decided_at timestamptz,
    reason text,
    notes jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX reviews_state ON reviews (state, submission_id);
CREATE INDEX reviews_player ON reviews (player_id, submission_id);

-- Who did what, by month. Each writing process numbers its entries, and each entry's hash covers the one before it;
-- `digest` stands for the detail, which is NULL once its subject was erased.
CREATE TABLE audit (
    at timestamptz NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    detail text,
    chain text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    digest bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX audit_at ON audit (at, chain, number);
CREATE INDEX audit_chain ON audit (chain, number);
CREATE INDEX audit_subject ON audit (subject, at, chain, number);
CREATE TABLE audit_default PARTITION OF audit DEFAULT;

-- Transactions whose standings are perhaps not yet projected; `touched` is an array of [board, window, period, player].
-- Whoever projects them again takes them until `leased_until`.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    touched json NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Rankings are built under increasing epochs; the one that stands for a period, and which Redis process holds it.
CREATE SEQUENCE epochs;
CREATE TABLE confirmed (
    board text COLLATE "C" NOT NULL,
    "window" text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    home text NOT NULL,
    PRIMARY KEY (board, "window", period)
);

-- Who is told of events; `board` is NULL for those of all boards. The ends of periods, if it asks for them now, it has
-- asked for since `since`. A secret that was replaced signs beside the new one until `previous_until`.
CREATE TABLE webhooks (
    id text COLLATE "C" PRIMARY KEY,
    url text NOT NULL,
    events text[] NOT NULL,
    board text COLLATE "C",
    enabled boolean NOT NULL,
    since timestamptz NOT NULL,
    secret text NOT NULL,
    previous_secret text,
    previous_until timestamptz,
    created_at timestamptz NOT NULL
);

-- One event for one webhook. Whoever delivers it moves `due_at` on before, so that nobody else does meanwhile. `data` is
-- JSON, and forgotten once it has been delivered or given up; `status` is that of the last answer. No foreign key: a
-- score that is held must not fail because a webhook goes at the same moment.
CREATE TABLE webhook_deliveries (
    id text COLLATE "C" PRIMARY KEY DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    webhook_id text COLLATE "C" NOT NULL,
    event text NOT NULL,
    at timestamptz NOT NULL,
    data text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    status integer,
    error text
);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (webhook_id, state, due_at);
CREATE INDEX webhook_deliveries_due_at ON webhook_deliveries (due_at);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, at, id);

-- Periods that are over and were told of as such.
CREATE TABLE finalized (
    board text COLLATE "C" NOT NULL,
    "window" text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (board, "window", period)
);
CREATE INDEX finalized_at ON finalized (at);

-- Tell of an event each webhook that asks for it, in the same transaction; `of_board` is NULL where it is of no one board.
CREATE FUNCTION tell(name text, of_board text, moment timestamptz, facts json) RETURNS void
    LANGUAGE sql AS $$
INSERT INTO webhook_deliveries (webhook_id, event, at, data, due_at)
SELECT id, name, moment, facts::text, moment FROM webhooks
WHERE enabled AND name = ANY (events) AND (board IS NULL OR of_board IS NULL OR board = of_board)
$$;

CREATE FUNCTION tell_of_review() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell('submission.held', board, accepted_at, json_build_object('submission_id', id, 'board', board,
        'player_id', player_id, 'score', score, 'at', microseconds(accepted_at)))
    FROM history WHERE id = NEW.submission_id;
    RETURN NULL;
END $$;
CREATE TRIGGER reviews_told AFTER INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION tell_of_review();

CREATE FUNCTION tell_of_decision() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(CASE NEW.act WHEN 'review.approve' THEN 'submission.approved'
            WHEN 'review.reject' THEN 'submission.rejected' ELSE 'submission.voided' END,
        board, NEW.at, json_build_object('submission_id', id, 'board', board, 'player_id', player_id, 'score', score,
            'at', microseconds(accepted_at), 'by', NEW.actor))
    FROM history WHERE id = NEW.subject::uuid;
    RETURN NULL;
END $$;
CREATE TRIGGER decisions_told AFTER INSERT ON audit FOR EACH ROW
    WHEN (NEW.act IN ('review.approve', 'review.reject', 'submission.void')) EXECUTE FUNCTION tell_of_decision();

CREATE FUNCTION tell_of_player() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(CASE NEW.act WHEN 'player.ban' THEN 'player.banned' WHEN 'player.hide' THEN 'player.hidden'
            WHEN 'player.lift' THEN 'player.lifted' ELSE 'player.erased' END,
        NULL, NEW.at, json_build_object('player_id', NEW.subject, 'until', NEW.detail::json ->> 'until',
            'by', NEW.actor));
    RETURN NULL;
END $$;
CREATE TRIGGER players_told AFTER INSERT ON audit FOR EACH ROW
    WHEN (NEW.act IN ('player.ban', 'player.hide', 'player.lift', 'player.erase')) EXECUTE FUNCTION tell_of_player();


-- Partitions of a table for the month of an instant and the next few, as far as they are missing. A month whose rows
-- are in the default partition already stays there.
CREATE FUNCTION make_partitions(parent regclass, since timestamptz, months integer) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc('month', since, 'UTC');
    month timestamptz;
    name text;
BEGIN
    FOR i IN 0..months LOOP
        month := first + i * interval '1 month';
        name := format('%s_%s', parent, to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'));
        IF to_regclass(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', name, parent, month,
                    month + interval '1 month');
            EXCEPTION WHEN check_violation OR duplicate_table THEN
                NULL;
            END;
        END IF;
    END LOOP;
END $$;

-- Drop the monthly partitions of a table that end before an instant; how many. Nobody writes meanwhile, so it gives up
-- soon where somebody reads for long.
CREATE FUNCTION drop_partitions(parent regclass, before timestamptz) RETURNS integer
    LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    old regclass;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = parent AND CASE WHEN inhrelid::regclass::text ~ '_\d{4}_\d{2}$' THEN
            (to_date(right(inhrelid::regclass::text, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= before END
    LOOP
        EXECUTE format('DROP TABLE %s', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;


-- Order keys: eight bytes big-endian of n + 2^63 for each number, negated where the order is descending (sign -1), which
-- is what flipping the sign bit of its two's complement comes to. First score and tie columns, what a shared rank has in
-- common.
CREATE FUNCTION order_number(sign integer, n bigint) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN int8send((sign * n) # (-9223372036854775808));

CREATE FUNCTION order_group(signs integer[], score bigint, tiebreakers bigint[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN order_number(signs[1], score)
        || coalesce(order_number(signs[2], coalesce(tiebreakers[1], 0)), '')
        || coalesce(order_number(signs[3], coalesce(tiebreakers[2], 0)), '')
        || coalesce(order_number(signs[4], coalesce(tiebreakers[3], 0)), '')
        || coalesce(order_number(signs[5], coalesce(tiebreakers[4], 0)), '');

CREATE FUNCTION order_key(
    signs integer[], score bigint, tiebreakers bigint[], achieved_at timestamptz, player_id text
) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN order_group(signs, score, tiebreakers) || order_number(1, microseconds(achieved_at))
        || convert_to(player_id, 'UTF8');


-- What some submissions add up to. While it is made a sum may be out of range.
CREATE TYPE folded AS (score numeric, tiebreakers bigint[], achieved_at timestamptz, last_at timestamptz, last_id uuid);

-- A standing and one submission more, newer than all before it: one row, made within the statement that asks for it.
CREATE FUNCTION fold_one(
    operator text, signs integer[], old folded, id uuid, at timestamptz, new_score bigint, new_tiebreakers bigint[]
) RETURNS SETOF folded
    LANGUAGE sql STABLE ROWS 1 AS $$
SELECT
    CASE WHEN stays THEN (old).score WHEN adds THEN (old).score + new_score ELSE new_score END,
    CASE WHEN stays THEN (old).tiebreakers ELSE new_tiebreakers END,
    CASE WHEN stays OR (adds AND new_score = 0) THEN (old).achieved_at ELSE at END,
    at,
    id
FROM (
    SELECT (old).score IS NOT NULL AND operator = 'sum' AS adds,
        (old).score IS NOT NULL AND operator <> 'sum' AND (
            ((old).score = new_score AND (old).tiebreakers = new_tiebreakers) OR (
                operator = 'best' AND order_group(signs, new_score, new_tiebreakers)
                    >= order_group(signs, (old).score::bigint, (old).tiebreakers)
            )
        ) AS stays
) AS found
$$;

-- What a player's counted submissions within some bounds add up to, and one submission more (id NULL: none). A checkpoint
-- stands for those that are not kept.
CREATE FUNCTION fold_history(
    operator text, signs integer[], in_board text, of_player text, since timestamptz, until timestamptz,
    id uuid, at timestamptz, score bigint, tiebreakers bigint[]
) RETURNS folded
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    result folded;
    each record;
BEGIN
    SELECT kept.score, kept.tiebreakers, kept.achieved_at, kept.last_at, kept.last_id INTO result
    FROM checkpoints AS kept
    WHERE kept.board = in_board AND kept.player_id = of_player AND kept.since = fold_history.since;
    FOR each IN
        SELECT history.id, accepted_at, history.score, history.tiebreakers FROM history
        WHERE board = in_board AND player_id = of_player AND state = 'counted'
            AND accepted_at >= greatest(fold_history.since, (SELECT horizon.at FROM horizon)) AND accepted_at < until
        UNION ALL
        SELECT fold_history.id, fold_history.at, fold_history.score, fold_history.tiebreakers
        WHERE fold_history.id IS NOT NULL
        ORDER BY 2, 1
    LOOP
        SELECT * INTO result
        FROM fold_one(operator, signs, result, each.id, each.accepted_at, each.score, each.tiebreakers);
    END LOOP;
    RETURN result;
END $$;


-- One submission of a batch; `n` is its place. Its periods are given as four arrays, instants in microseconds.
CREATE TYPE batch_item AS (
    n integer,
    id uuid,
    action_id text,
    kept_until bigint,
    player_id text,
    board text,
    revision integer,
    operator text,
    signs integer[],
    score bigint,
    tiebreakers bigint[],
    at bigint,
    windows text[],
    periods text[],
    since bigint[],
    until bigint[],
    status text,
    code text,
    action text,
    metadata text,
    evidence text,
    fingerprint text,
    creates boolean,
    name text,
    address text
);

-- A standing that a submission of a batch moves: where it is stored, and what becomes of it. `w` numbers the windows of
-- its board.
CREATE TYPE batch_move AS (
    n integer,
    w bigint,
    place tid,
    board text,
    "window" text,
    period text,
    player_id text,
    revision bigint,
    previous bigint,
    previous_tiebreakers bigint[],
    new folded,
    order_key bytea,
    name text,
    name_revision integer
);

-- Whether a submission changed what a standing shows.
CREATE FUNCTION is_applied(move batch_move) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (move.previous, move.previous_tiebreakers)
        IS DISTINCT FROM ((move.new).score::bigint, (move.new).tiebreakers);

-- A standing of a submission's player with the submission in it: folded anew where it is not the newest.
CREATE FUNCTION fold_in(
    operator text, signs integer[], in_board text, of_player text, old folded, since bigint, until bigint,
    id uuid, at timestamptz, new_score bigint, new_tiebreakers bigint[]
) RETURNS SETOF folded
    LANGUAGE sql STABLE ROWS 1 AS $$
SELECT one.* FROM fold_one(operator, signs, old, id, at, new_score, new_tiebreakers) AS one
WHERE (old).score IS NULL OR (at, id) > ((old).last_at, (old).last_id)
UNION ALL
SELECT anew.* FROM fold_history(operator, signs, in_board, of_player, instant(since), instant(until), id, at, new_score,
    new_tiebreakers) AS anew
WHERE (old).score IS NOT NULL AND (at, id) <= ((old).last_at, (old).last_id)
$$;

-- Lock the standings that accepted submissions move, which are there, and fold these in.
--
-- They are locked by a statement of their own: one that waits for a lock sees neither what was written to the history
-- meanwhile nor where the row is now.
CREATE FUNCTION batch_moves(live batch_item[]) RETURNS batch_move[]
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (
        SELECT DISTINCT item.board, place."window", place.period, item.player_id
        FROM unnest(live) AS item, unnest(item.windows, item.periods) AS place ("window", period)
        WHERE item.status = 'accepted'
        ORDER BY 1, 2, 3, 4
    ) AS wanted
    CROSS JOIN LATERAL (
        SELECT FROM standings
        WHERE board = wanted.board AND "window" = wanted."window" AND period = wanted.period
            AND player_id = wanted.player_id
        FOR UPDATE
    ) AS locked;
    RETURN (
        SELECT array_agg((
            wanted.n, wanted.w, old.place, wanted.board, wanted."window", wanted.period, wanted.player_id,
            old.revision + 1, old.score, old.tiebreakers,
            (new.score, new.tiebreakers, new.achieved_at, new.last_at, new.last_id)::folded,
            CASE WHEN player.status = 'active' THEN
                order_key(wanted.signs, new.score::bigint, new.tiebreakers, new.achieved_at, wanted.player_id) END,
            player.name, player.revision
        )::batch_move)
        FROM (
            SELECT item.*, place.w, place."window", place.period, place.starts, place.ends
            FROM unnest(live) AS item,
                unnest(item.windows, item.periods, item.since, item.until)
                    WITH ORDINALITY AS place ("window", period, starts, ends, w)
            WHERE item.status = 'accepted'
            ORDER BY item.board, place."window", place.period, item.player_id
        ) AS wanted
        CROSS JOIN LATERAL (
            SELECT ctid AS place, revision, score, tiebreakers, achieved_at, last_at, last_id FROM standings
            WHERE board = wanted.board AND "window" = wanted."window" AND period = wanted.period
                AND player_id = wanted.player_id
            OFFSET 0
        ) AS old
        CROSS JOIN LATERAL (
            SELECT status, name, revision FROM players WHERE id = wanted.player_id OFFSET 0
        ) AS player
        CROSS JOIN LATERAL (
            SELECT * FROM fold_in(wanted.operator, wanted.signs, wanted.board, wanted.player_id,
                (old.score, old.tiebreakers, old.achieved_at, old.last_at, old.last_id)::folded, wanted.starts,
                wanted.ends, wanted.id, instant(wanted.at), wanted.score, wanted.tiebreakers)
            OFFSET 0
        ) AS new
    );
END $$;

-- Store a part of a batch: no two of its submissions have one action id, or bring one player a name.
--
-- The answers are arrays of [n, status, code, applied, score, previous, repeat, mismatch, submission id], the changes
-- arrays of [n, board, window, period, player, revision, order key in hexadecimal, name, revision of the name];
-- `touched` names the standings to be projected.
--
-- Where a board is frozen, what its standings were is kept for all to see, and neither changes nor `touched` name them,
-- but for the names of their players.
--
-- Rows are locked in one order, by table and then by key: boards, players, standings, actions. An action id that another
-- transaction takes at the same moment raises serialization_failure: sent again, the batch finds it taken.
--
-- A look-up by key is written as a subquery for one row (LATERAL ... OFFSET 0), so that it is one whatever the planner
-- thinks of the tables' sizes, which change from nothing to millions under its cached plans. Each statement does one
-- thing, and what is rare is done only where there is something to do: to set up a statement takes longer than a row.
--
-- A table without an index can only be scanned, which is allowed at a price so high that the statement would be compiled
-- to machine code each time, for a tenth of a second: hence `jit`.
CREATE FUNCTION commit_part(part json, moment timestamptz, OUT answers json[], OUT changes json[], OUT touched jsonb)
    LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
    items batch_item[];
    live batch_item[];
    moves batch_move[];
    frozen text[];
    names boolean;
    held boolean;
    renamed text[];
    refused integer[];
    stored integer;
BEGIN
    SELECT array_agg(item ORDER BY item.player_id, item.n), bool_or(item.name IS NOT NULL),
        bool_or(item.status = 'held')
    INTO items, names, held
    FROM json_populate_recordset(NULL::batch_item, part) AS item;

    SELECT coalesce(array_agg(locked.id) FILTER (WHERE locked.frozen_at IS NOT NULL), '{}') INTO frozen
    FROM (SELECT DISTINCT item.board AS id FROM unnest(items) AS item ORDER BY 1) AS wanted
    CROSS JOIN LATERAL (SELECT id, frozen_at FROM boards WHERE boards.id = wanted.id FOR SHARE) AS locked;
    IF names THEN
        PERFORM FROM (SELECT DISTINCT item.player_id AS id, item.name FROM unnest(items) AS item
                WHERE item.name IS NOT NULL ORDER BY 1) AS wanted
            CROSS JOIN LATERAL (
                SELECT FROM players WHERE players.id = wanted.id AND players.name <> wanted.name FOR UPDATE
            ) AS locked;
    END IF;

    -- The items are in the order of players, in which these are locked.
    SELECT
        array_agg(item) FILTER (WHERE (first).action_id IS NULL AND refusal IS NULL),
        ARRAY[
            coalesce(json_agg(json_build_array((item).n, 'rejected', refusal, false, NULL, NULL, false, false,
                (item).id)) FILTER (WHERE (first).action_id IS NULL AND refusal IS NOT NULL), '[]'),
            coalesce(json_agg(json_build_array((item).n, (first).status, (first).code, (first).applied, (first).score,
                (first).previous, true, ((item).player_id, (item).board) <> ((first).player_id, (first).board)
                    OR (item).fingerprint <> (first).fingerprint,
                (first).submission_id)) FILTER (WHERE (first).action_id IS NOT NULL), '[]')
        ]
    INTO live, answers
    FROM (
        SELECT item, CASE
                WHEN item.status <> 'rejected'
                    AND (SELECT revision FROM boards WHERE id = item.board
                        AND (freezes_at IS NULL OR freezes_at > instant(item.at))) IS DISTINCT FROM item.revision
                    THEN 'unavailable'
                WHEN instant(item.at) < (SELECT at FROM horizon) THEN 'period_closed'
                WHEN player.status IS NULL AND NOT item.creates THEN 'not_found'
                WHEN player.status IN ('banned', 'erased') THEN 'player_banned'
            END AS refusal, first
        FROM unnest(items) AS item
        LEFT JOIN LATERAL (SELECT status FROM players WHERE id = item.player_id FOR SHARE) AS player ON true
        LEFT JOIN LATERAL (SELECT * FROM actions WHERE action_id = item.action_id OFFSET 0) AS first ON true
    ) AS checked;

    INSERT INTO players (id, name, created_at)
    SELECT DISTINCT ON (item.player_id) item.player_id, coalesce(item.name, item.player_id), moment
    FROM unnest(live) AS item
    WHERE item.creates AND (SELECT true FROM players WHERE id = item.player_id) IS NULL
    ORDER BY item.player_id, item.n
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO standings (board, "window", period, player_id, revision)
    SELECT item.board, place."window", place.period, item.player_id, 0
    FROM unnest(live) AS item, unnest(item.windows, item.periods) AS place ("window", period)
    WHERE item.status = 'accepted' AND (
        SELECT true FROM standings
        WHERE board = item.board AND "window" = place."window" AND period = place.period
            AND player_id = item.player_id
    ) IS NULL
    ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING;

    moves := batch_moves(live);
    refused := ARRAY(SELECT DISTINCT n FROM unnest(moves) WHERE abs((new).score) > 9007199254740991);
    IF refused <> '{}' THEN
        DELETE FROM standings AS empty USING unnest(moves) AS move
        WHERE move.n = ANY (refused) AND empty.ctid = move.place AND empty.revision = 0;
        answers := answers || (
            SELECT json_agg(json_build_array(item.n, 'rejected', 'score_out_of_range', false, NULL, NULL, false, false,
                item.id))
            FROM unnest(live) AS item WHERE item.n = ANY (refused)
        );
        live := ARRAY(SELECT item FROM unnest(live) AS item WHERE item.n <> ALL (refused));
        moves := ARRAY(SELECT move FROM unnest(moves) AS move WHERE move.n <> ALL (refused));
    END IF;

    IF names THEN
        WITH changed AS (
            UPDATE players SET name = item.name, revision = players.revision + 1
            FROM unnest(live) AS item
            WHERE item.creates AND item.status <> 'rejected' AND players.id = item.player_id
                AND item.name <> players.name
            RETURNING players.id
        )
        SELECT array_agg(id) INTO renamed FROM changed;
        IF renamed IS NOT NULL THEN
            moves := batch_moves(live);
        END IF;
    END IF;

    IF frozen <> '{}' THEN
        INSERT INTO frozen_standings (board, "window", period, player_id, score, tiebreakers, achieved_at, revision,
            order_key)
        SELECT old.board, old."window", old.period, old.player_id, old.score, old.tiebreakers, old.achieved_at,
            old.revision, old.order_key
        FROM unnest(moves) AS move JOIN standings AS old ON old.ctid = move.place
        WHERE move.board = ANY (frozen)
        ORDER BY 1, 2, 3, 4
        ON CONFLICT DO NOTHING;
        INSERT INTO frozen_history (board, submission_id)
        SELECT board, id FROM unnest(live) WHERE board = ANY (frozen) ORDER BY 1, 2 ON CONFLICT DO NOTHING;
    END IF;

    UPDATE standings AS old
    SET score = (move.new).score, tiebreakers = (move.new).tiebreakers, achieved_at = (move.new).achieved_at,
        last_at = (move.new).last_at, last_id = (move.new).last_id, revision = move.revision,
        order_key = move.order_key
    FROM unnest(moves) AS move
    WHERE old.ctid = move.place;

    INSERT INTO actions (action_id, submission_id, board, player_id, status, code, score, previous, applied,
        fingerprint, kept_until)
    SELECT item.action_id, item.id, item.board, item.player_id, item.status, item.code, (first.new).score,
        first.previous, first.n IS NOT NULL AND is_applied(first), item.fingerprint, instant(item.kept_until)
    FROM unnest(live) AS item LEFT JOIN unnest(moves) AS first ON first.n = item.n AND first.w = 1
    ORDER BY item.action_id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    IF stored < cardinality(live) THEN
        RAISE EXCEPTION 'an action id was taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;

    INSERT INTO history (id, board, player_id, accepted_at, score, tiebreakers, state, action, metadata, evidence,
        address)
    SELECT id, board, player_id, instant(at), score, tiebreakers,
        CASE status WHEN 'accepted' THEN 'counted' ELSE status END, action, metadata,
        CASE WHEN status <> 'held' THEN evidence END, address
    FROM unnest(live)
    ON CONFLICT DO NOTHING;
    IF held THEN
        INSERT INTO reviews (submission_id, board, player_id, evidence, rules_revision)
        SELECT id, board, player_id, coalesce(evidence, '[]'), revision FROM unnest(live) WHERE status = 'held'
        ON CONFLICT DO NOTHING;
    END IF;

    answers := answers || (
        SELECT json_agg(json_build_array(item.n, item.status, item.code, first.n IS NOT NULL AND is_applied(first),
            (first.new).score, first.previous, false, false, item.id))
        FROM unnest(live) AS item LEFT JOIN unnest(moves) AS first ON first.n = item.n AND first.w = 1
    );
    SELECT ARRAY[json_agg(json_build_array(n, board, "window", period, player_id, revision, encode(order_key, 'hex'),
            name, name_revision) ORDER BY n, w)],
        jsonb_agg(jsonb_build_array(board, "window", period, player_id))
    INTO changes, touched
    FROM unnest(moves) WHERE board <> ALL (frozen);

    IF renamed IS NOT NULL THEN
        SELECT changes || json_agg(json_build_array(item.n, other.board, other."window", other.period, other.player_id,
                other.revision, encode(other.order_key, 'hex'), players.name, players.revision)),
            coalesce(touched, '[]') || coalesce(
                jsonb_agg(jsonb_build_array(other.board, other."window", other.period, other.player_id)), '[]')
        INTO changes, touched
        FROM unnest(live) AS item
        JOIN shown_standings AS other ON other.player_id = item.player_id
        JOIN players ON players.id = item.player_id
        WHERE item.player_id = ANY (renamed) AND item.name IS NOT NULL
            AND (other.board, other."window", other.period, other.player_id)
                NOT IN (SELECT board, "window", period, player_id FROM unnest(moves) WHERE board <> ALL (frozen));
    END IF;
END $$;

-- Store a batch, given as parts one after the other: all of it or nothing.
CREATE FUNCTION commit_batch(
    parts json[], moment timestamptz, OUT outbox_id bigint, OUT answers json, OUT changes json
)
    LANGUAGE plpgsql AS $$
DECLARE
    part json;
    done record;
    all_answers json[] := '{}';
    all_changes json[] := '{}';
    touched jsonb := '[]';
BEGIN
    FOREACH part IN ARRAY parts LOOP
        SELECT * INTO done FROM commit_part(part, moment);
        all_answers := all_answers || done.answers;
        all_changes := all_changes || done.changes;
        touched := touched || coalesce(done.touched, '[]');
    END LOOP;
    IF touched <> '[]' THEN
        INSERT INTO outbox (at, touched) VALUES (moment, touched) RETURNING id INTO outbox_id;
    END IF;
    answers := array_to_json(all_answers);
    changes := array_to_json(all_changes);
END $$;
