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

-- Boards; `settings` has the keys of the configuration. A deleted one is kept with all that was scored on it.
CREATE TABLE boards (
    id text COLLATE "C" PRIMARY KEY,
    settings json NOT NULL,
    revision integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
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

-- Drop the monthly partitions of a table that end before an instant; how many.
CREATE FUNCTION drop_partitions(parent regclass, before timestamptz) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    old regclass;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = parent AND inhrelid::regclass::text ~ '_\d{4}_\d{2}$'
            AND to_timestamp(right(inhrelid::regclass::text, 7) || ' UTC', 'YYYY_MM TZH') + interval '1 month' <= before
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

-- A standing and one submission more, newer than all before it.
CREATE FUNCTION fold_one(
    operator text, signs integer[], old folded, id uuid, at timestamptz, score bigint, tiebreakers bigint[]
) RETURNS folded
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF old.score IS NULL THEN
        RETURN (score::numeric, tiebreakers, at, at, id)::folded;
    ELSIF operator = 'sum' THEN
        RETURN (old.score + score, tiebreakers, CASE WHEN score = 0 THEN old.achieved_at ELSE at END, at, id)::folded;
    ELSIF (old.score = score AND old.tiebreakers = tiebreakers) OR (
        operator = 'best'
        AND order_group(signs, score, tiebreakers) >= order_group(signs, old.score::bigint, old.tiebreakers)
    ) THEN
        RETURN (old.score, old.tiebreakers, old.achieved_at, at, id)::folded;
    END IF;
    RETURN (score::numeric, tiebreakers, at, at, id)::folded;
END $$;

-- What a player's counted submissions within some bounds add up to, and one submission more (id NULL: none).
CREATE FUNCTION fold_history(
    operator text, signs integer[], in_board text, of_player text, since timestamptz, until timestamptz,
    id uuid, at timestamptz, score bigint, tiebreakers bigint[]
) RETURNS folded
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    result folded;
    each record;
BEGIN
    FOR each IN
        SELECT history.id, accepted_at, history.score, history.tiebreakers FROM history
        WHERE board = in_board AND player_id = of_player AND state = 'counted'
            AND accepted_at >= since AND accepted_at < until
        UNION ALL
        SELECT fold_history.id, fold_history.at, fold_history.score, fold_history.tiebreakers
        WHERE fold_history.id IS NOT NULL
        ORDER BY 2, 1
    LOOP
        result := fold_one(operator, signs, result, each.id, each.accepted_at, each.score, each.tiebreakers);
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

-- A standing that a submission of a batch may move; `w` numbers the windows of its board.
CREATE TYPE batch_move AS (
    w bigint,
    "window" text,
    period text,
    since bigint,
    until bigint,
    item batch_item
);

-- A standing of a submission's player with the submission in it: folded anew where it is not the newest.
CREATE FUNCTION fold_in(item batch_item, old standings, since bigint, until bigint) RETURNS folded
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF old.score IS NULL OR (instant(item.at), item.id) > (old.last_at, old.last_id) THEN
        RETURN fold_one(item.operator, item.signs,
            (old.score, old.tiebreakers, old.achieved_at, old.last_at, old.last_id)::folded,
            item.id, instant(item.at), item.score, item.tiebreakers);
    END IF;
    RETURN fold_history(item.operator, item.signs, item.board, item.player_id, instant(since), instant(until),
        item.id, instant(item.at), item.score, item.tiebreakers);
END $$;

-- Store a part of a batch: no two of its submissions have one action id, or bring one player a name.
--
-- The answer is an array of [n, status, code, applied, score, previous, repeat, mismatch, submission id, changes], each
-- change being [board, window, period, player, revision, order key in hexadecimal, name, revision of the name];
-- `touched` names the standings to be projected.
--
-- Rows are locked in one order, by table and then by key: boards, players, standings, actions. An action id that another
-- transaction takes at the same moment raises serialization_failure: sent again, the batch finds it taken.
--
-- A look-up by key is written as a subquery for one row (LATERAL ... OFFSET 0), so that it is one whatever the planner
-- thinks of the tables' sizes, which change from nothing to millions under its cached plans.
CREATE FUNCTION commit_part(part json, moment timestamptz, OUT outcomes json, OUT touched jsonb)
    LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    items batch_item[];
    live batch_item[];
    moves batch_move[];
    repeats json;
    refusals json;
    renamed text[];
    refused integer[];
    taken_meanwhile integer;
BEGIN
    SELECT array_agg(item ORDER BY item.n) INTO items FROM json_populate_recordset(NULL::batch_item, part) AS item;

    PERFORM FROM (SELECT DISTINCT item.board AS id FROM unnest(items) AS item ORDER BY 1) AS wanted
        CROSS JOIN LATERAL (SELECT FROM boards WHERE boards.id = wanted.id FOR SHARE) AS locked;
    PERFORM FROM (SELECT DISTINCT item.player_id AS id, item.name FROM unnest(items) AS item
            WHERE item.name IS NOT NULL ORDER BY 1) AS wanted
        CROSS JOIN LATERAL (
            SELECT FROM players WHERE players.id = wanted.id AND players.name <> wanted.name FOR UPDATE
        ) AS locked;
    PERFORM FROM (SELECT DISTINCT item.player_id AS id FROM unnest(items) AS item ORDER BY 1) AS wanted
        CROSS JOIN LATERAL (SELECT FROM players WHERE players.id = wanted.id FOR SHARE) AS locked;

    WITH checked AS (
        SELECT item, CASE
                WHEN item.status <> 'rejected'
                    AND (SELECT revision FROM boards WHERE id = item.board) IS DISTINCT FROM item.revision
                    THEN 'unavailable'
                WHEN player.status IS NULL AND NOT item.creates THEN 'not_found'
                WHEN player.status IN ('banned', 'erased') THEN 'player_banned'
            END AS refusal, first
        FROM unnest(items) AS item
        LEFT JOIN LATERAL (SELECT status FROM players WHERE id = item.player_id OFFSET 0) AS player ON true
        LEFT JOIN LATERAL (SELECT * FROM actions WHERE action_id = item.action_id OFFSET 0) AS first ON true
    )
    SELECT
        array_agg(item ORDER BY (item).n) FILTER (WHERE (first).action_id IS NULL AND refusal IS NULL),
        coalesce(json_agg(json_build_array((item).n, 'rejected', refusal, false, NULL, NULL, false, false, (item).id,
            '[]'::json)) FILTER (WHERE (first).action_id IS NULL AND refusal IS NOT NULL), '[]'),
        coalesce(json_agg(json_build_array((item).n, (first).status, (first).code, (first).applied, (first).score,
            (first).previous, true, ((item).player_id, (item).board) <> ((first).player_id, (first).board)
                OR (item).fingerprint <> (first).fingerprint,
            (first).submission_id, '[]'::json)) FILTER (WHERE (first).action_id IS NOT NULL), '[]')
    INTO live, refusals, repeats
    FROM checked;

    INSERT INTO players (id, name, created_at)
    SELECT DISTINCT ON (item.player_id) item.player_id, coalesce(item.name, item.player_id), moment
    FROM unnest(live) AS item
    WHERE item.creates AND (SELECT true FROM players WHERE id = item.player_id) IS NULL
    ORDER BY item.player_id, item.n
    ON CONFLICT (id) DO NOTHING;

    SELECT array_agg((place.w, place."window", place.period, place.since, place.until, item)::batch_move
        ORDER BY item.board, place."window", place.period, item.player_id)
    INTO moves
    FROM unnest(live) AS item,
        unnest(item.windows, item.periods, item.since, item.until)
            WITH ORDINALITY AS place ("window", period, since, until, w)
    WHERE item.status = 'accepted';

    INSERT INTO standings (board, "window", period, player_id, revision)
    SELECT (move.item).board, move."window", move.period, (move.item).player_id, 0
    FROM unnest(moves) AS move
    WHERE (
        SELECT true FROM standings
        WHERE board = (move.item).board AND "window" = move."window" AND period = move.period
            AND player_id = (move.item).player_id
    ) IS NULL
    ON CONFLICT DO NOTHING;

    PERFORM FROM unnest(moves) AS move CROSS JOIN LATERAL (
        SELECT FROM standings
        WHERE board = (move.item).board AND "window" = move."window" AND period = move.period
            AND player_id = (move.item).player_id
        FOR UPDATE
    ) AS locked;

    IF EXISTS (SELECT FROM unnest(live) AS item WHERE item.name IS NOT NULL) THEN
        refused := ARRAY(
            SELECT (move.item).n
            FROM unnest(moves) AS move
            CROSS JOIN LATERAL (
                SELECT standings FROM standings
                WHERE board = (move.item).board AND "window" = move."window" AND period = move.period
                    AND player_id = (move.item).player_id OFFSET 0
            ) AS old
            CROSS JOIN LATERAL fold_in(move.item, old.standings, move.since, move.until) AS new
            WHERE abs(new.score) > 9007199254740991
        );
        WITH changed AS (
            UPDATE players SET name = item.name, revision = players.revision + 1
            FROM unnest(live) AS item
            WHERE item.creates AND item.status <> 'rejected' AND players.id = item.player_id
                AND item.name <> players.name AND item.n <> ALL (refused)
            RETURNING players.id
        )
        SELECT array_agg(id) INTO renamed FROM changed;
    END IF;

    WITH folding AS MATERIALIZED (
        SELECT (move.item).n, move.w, old.place, (move.item).board, move."window", move.period,
            (move.item).player_id, (move.item).signs, (old.standing).score AS previous,
            (old.standing).tiebreakers AS previous_tiebreakers, player.*, new.*
        FROM unnest(moves) AS move
        CROSS JOIN LATERAL (
            SELECT ctid AS place, standings AS standing FROM standings
            WHERE board = (move.item).board AND "window" = move."window" AND period = move.period
                AND player_id = (move.item).player_id OFFSET 0
        ) AS old
        CROSS JOIN LATERAL (
            SELECT status = 'active' AS visible, name, revision AS name_revision FROM players
            WHERE id = (move.item).player_id OFFSET 0
        ) AS player
        CROSS JOIN LATERAL fold_in(move.item, old.standing, move.since, move.until) AS new
    ),
    outside AS MATERIALIZED (
        SELECT DISTINCT n FROM folding WHERE abs(score) > 9007199254740991
    ),
    moved AS (
        UPDATE standings AS old
        SET score = new.score, tiebreakers = new.tiebreakers, achieved_at = new.achieved_at, last_at = new.last_at,
            last_id = new.last_id, revision = old.revision + 1,
            order_key = CASE WHEN new.visible THEN
                order_key(new.signs, new.score::bigint, new.tiebreakers, new.achieved_at, new.player_id) END
        FROM folding AS new
        WHERE new.n NOT IN (SELECT n FROM outside) AND old.ctid = new.place
        RETURNING new.n, new.w, old.board, old."window", old.period, old.player_id, old.revision, old.order_key,
            new.name, new.name_revision
    ),
    changes AS (
        SELECT * FROM moved
        UNION ALL
        SELECT item.n, NULL, other.board, other."window", other.period, other.player_id, other.revision,
            other.order_key, players.name, players.revision
        FROM unnest(live) AS item
        JOIN standings AS other ON other.player_id = item.player_id
        JOIN players ON players.id = item.player_id
        WHERE renamed IS NOT NULL AND item.player_id = ANY (renamed) AND item.name IS NOT NULL AND NOT EXISTS (
            SELECT FROM folding WHERE folding.player_id = other.player_id AND folding.board = other.board
                AND folding."window" = other."window" AND folding.period = other.period
        )
    ),
    results AS MATERIALIZED (
        SELECT item.*, first.score::bigint AS result, first.previous, first.n IS NOT NULL
            AND (first.previous, first.previous_tiebreakers)
                IS DISTINCT FROM (first.score::bigint, first.tiebreakers) AS applied
        FROM unnest(live) AS item LEFT JOIN folding AS first ON first.n = item.n AND first.w = 1
        WHERE item.n NOT IN (SELECT n FROM outside)
    ),
    acted AS (
        INSERT INTO actions (action_id, submission_id, board, player_id, status, code, score, previous, applied,
            fingerprint, kept_until)
        SELECT action_id, id, board, player_id, status, code, result, previous, applied, fingerprint,
            instant(kept_until)
        FROM results
        ORDER BY action_id
        ON CONFLICT DO NOTHING
        RETURNING 1
    ),
    kept AS (
        INSERT INTO history (id, board, player_id, accepted_at, score, tiebreakers, state, action, metadata, evidence,
            address)
        SELECT id, board, player_id, instant(at), score, tiebreakers,
            CASE status WHEN 'accepted' THEN 'counted' ELSE status END, action, metadata,
            CASE WHEN status <> 'held' THEN evidence END, address
        FROM results
        ON CONFLICT DO NOTHING
    ),
    queued AS (
        INSERT INTO reviews (submission_id, board, player_id, evidence, rules_revision)
        SELECT id, board, player_id, coalesce(evidence, '[]'), revision FROM results WHERE status = 'held'
        ON CONFLICT DO NOTHING
    ),
    shown AS (
        SELECT n, json_agg(json_build_array(board, "window", period, player_id, revision, encode(order_key, 'hex'),
            name, name_revision) ORDER BY w NULLS LAST) AS changes
        FROM changes GROUP BY n
    ),
    answers AS (
        SELECT json_build_array(n, status, code, applied, result, previous, false, false, id,
            coalesce(shown.changes, '[]'::json)) AS answer
        FROM results LEFT JOIN shown USING (n)
        UNION ALL
        SELECT json_build_array(item.n, 'rejected', 'score_out_of_range', false, NULL, NULL, false, false, item.id,
            '[]'::json)
        FROM unnest(live) AS item WHERE item.n IN (SELECT n FROM outside)
        UNION ALL SELECT json_array_elements(repeats)
        UNION ALL SELECT json_array_elements(refusals)
    )
    SELECT (SELECT json_agg(answer) FROM answers),
        (SELECT coalesce(jsonb_agg(jsonb_build_array(board, "window", period, player_id)), '[]') FROM changes),
        (SELECT count(*) FROM results) - (SELECT count(*) FROM acted),
        (SELECT array_agg(n) FROM outside)
    INTO outcomes, touched, taken_meanwhile, refused;

    IF taken_meanwhile <> 0 THEN
        RAISE EXCEPTION 'an action id was taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    IF refused IS NOT NULL THEN
        DELETE FROM standings AS empty USING unnest(moves) AS move
        WHERE (move.item).n = ANY (refused) AND empty.revision = 0 AND empty.board = (move.item).board
            AND empty."window" = move."window" AND empty.period = move.period
            AND empty.player_id = (move.item).player_id;
    END IF;
END $$;

-- Store a batch, given as parts one after the other: all of it or nothing.
CREATE FUNCTION commit_batch(parts json, moment timestamptz, OUT outbox_id bigint, OUT outcomes json)
    LANGUAGE plpgsql AS $$
DECLARE
    part json;
    done record;
    answers json[] := '{}';
    touched jsonb := '[]';
BEGIN
    FOR part IN SELECT json_array_elements(parts) LOOP
        SELECT * INTO done FROM commit_part(part, moment);
        answers := answers || done.outcomes;
        touched := touched || done.touched;
    END LOOP;
    IF touched <> '[]' THEN
        INSERT INTO outbox (at, touched) VALUES (moment, touched) RETURNING id INTO outbox_id;
    END IF;
    outcomes := array_to_json(answers);
END $$;
