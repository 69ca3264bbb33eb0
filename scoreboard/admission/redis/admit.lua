-- Submissions that ask to come in, each at an instant `at` in microseconds:
-- {what all keys of the player begin with, session, board, action, action id, at, lease in ms, kept for in ms, entry}.
-- ARGV: the knocks, the cost of one write and the span of a full budget, both in microseconds (0: no limit), and the run
-- id of this process: what another one was told of sessions and bans may be an older copy.
--
-- The answer to each is {session, reserved, history, wait in microseconds}. `session` is one of live, revoked, banned and
-- unknown; where it is not live, nothing else happened. `reserved` is one of new, again (it was not committed before),
-- flight, done and spent. `history` is what the player did before by the same action: entries of 16 bytes in order of
-- time, the instant in the first 8, little-endian; at most KEPT bytes of them.
local ENTRY, KEPT = 16, 640
local cost, window, home = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function session_of(knock)
    if redis.call('GET', knock[1] .. ':banned') == home then
        return 'banned'
    end
    local state = redis.call('HMGET', knock[1] .. ':session/' .. knock[2], 'revoked', 'expires_at', 'home')
    if state[1] == '1' then
        return 'revoked'
    elseif state[3] ~= home then
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

-- The history before an entry, which takes its place in it. A first one is the newest there is, or nearly, if two servers
-- tell the time differently.
local function pass_lane(knock, entry)
    local lane = knock[1] .. ':past/' .. knock[3] .. '/' .. knock[4]
    local past, at = redis.call('GET', lane) or '', struct.unpack('<i8', entry)
    local kept = #past
    while kept > 0 and struct.unpack('<i8', past, kept - ENTRY + 1) >= at do
        kept = kept - ENTRY
    end
    local before, after = string.sub(past, 1, kept), string.sub(past, kept + 1)
    if #after > 0 and string.sub(after, 1, 8) == string.sub(entry, 1, 8) then
        after = string.sub(after, ENTRY + 1)
    end
    redis.call('SET', lane, string.sub(before .. entry .. after, -KEPT), 'PX', 86400000)
    return before
end

local function reserve(knock)
    local place = knock[1] .. ':action/' .. knock[3] .. '/' .. knock[5]
    local known = redis.call('HMGET', place, 'state', 'at', 'until')
    if known[1] == 'done' then
        return {'live', 'done', false, 0}
    elseif known[1] == 'flight' and tonumber(known[3]) > knock[6] then
        return {'live', 'flight', false, 0}
    end
    local wait = spend(knock)
    if wait > 0 then
        return {'live', 'spent', false, wait}
    end
    local at = known[2] or string.sub(knock[9], 1, 8)
    local past = pass_lane(knock, at .. string.sub(knock[9], 9))
    redis.call('HSET', place, 'state', 'flight', 'at', at, 'until', string.format('%.0f', knock[6] + knock[7] * 1000))
    redis.call('PEXPIRE', place, math.max(knock[7], knock[8]))
    return {'live', known[1] and 'again' or 'new', past, 0}
end

local answers = {}
for i, knock in ipairs(cmsgpack.unpack(ARGV[1])) do
    local session = session_of(knock)
    answers[i] = session == 'live' and reserve(knock) or {session, 'new', false, 0}
end
return answers
