-- Submissions that ask to come in, each at an instant `at` in microseconds:
-- {what all keys of the player begin with, session, board, action, action id, at, lease in ms, kept for in ms}.
-- ARGV: the knocks, the cost of one write and the span of a full budget, both in microseconds (0: no limit).
--
-- The answer to each is {session, reserved, last_at or false, wait in microseconds}. `session` is one of live, revoked,
-- banned and unknown; where it is not live, nothing else happened. `reserved` is one of new, flight, done and spent.
local cost, window = tonumber(ARGV[2]), tonumber(ARGV[3])

local function session_of(knock)
    if redis.call('EXISTS', knock[1] .. ':banned') == 1 then
        return 'banned'
    end
    local state = redis.call('HMGET', knock[1] .. ':session/' .. knock[2], 'revoked', 'expires_at')
    if state[1] == '1' then
        return 'revoked'
    elseif not state[2] then
        return 'unknown'
    end
    return tonumber(state[2]) <= knock[6] and 'revoked' or 'live'
end

-- The generic cell rate algorithm: the key holds the instant at which the budget is full again. How long to wait.
local function spend(knock)
    if cost == 0 then
        return 0
    end
    local key, now = knock[1] .. ':writes', knock[6]
    local full_at = math.max(tonumber(redis.call('GET', key) or 0), now)
    local wait = full_at + cost - window - now
    if wait > 0 then
        return wait
    end
    redis.call('SET', key, string.format('%.0f', full_at + cost), 'PX', math.ceil(window / 1000) + 1)
    return 0
end

-- The instant of the last submission of this action, and this one in its place.
local function pass_lane(knock)
    local lane = knock[1] .. ':last/' .. knock[3] .. '/' .. knock[4]
    local last = redis.call('GET', lane)
    redis.call('SET', lane, string.format('%.0f', knock[6]), 'PX', 86400000)
    return last
end

local function reserve(knock)
    local place = knock[1] .. ':action/' .. knock[3] .. '/' .. knock[5]
    local known = redis.call('HMGET', place, 'state', 'last_at', 'until')
    if known[1] == 'done' then
        return {'live', 'done', false, 0}
    elseif known[1] == 'flight' and tonumber(known[3]) > knock[6] then
        return {'live', 'flight', false, 0}
    end
    local wait = spend(knock)
    if wait > 0 then
        return {'live', 'spent', false, wait}
    end
    local last = known[2]
    if not known[1] then
        last = pass_lane(knock) or ''
    end
    redis.call('HSET', place, 'state', 'flight', 'last_at', last,
        'until', string.format('%.0f', knock[6] + knock[7] * 1000))
    redis.call('PEXPIRE', place, math.max(knock[7], knock[8]))
    return {'live', 'new', last ~= '' and last, 0}
end

local answers = {}
for i, knock in ipairs(cmsgpack.unpack(ARGV[1])) do
    local session = session_of(knock)
    answers[i] = session == 'live' and reserve(knock) or {session, 'new', false, 0}
end
return answers
