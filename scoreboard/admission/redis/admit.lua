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
-- Words of one command at most: Lua's stack holds 8,000.
local MANY = 4000
local knocks, cost, window, home = cmsgpack.unpack(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

-- What becomes of an action id: F in flight or R refused, the instant of its first knock in 8 bytes, and until when it is
-- in flight; or D, done with.
local function place_of(knock)
    return knock[1] .. ':action/' .. knock[3] .. '/' .. knock[5]
end

local function lane_of(knock)
    return knock[1] .. ':past/' .. knock[3] .. '/' .. knock[4]
end

-- What is known before, read in one command for all.
local known = {}
local names = {}
for _, knock in ipairs(knocks) do
    names[#names + 1] = knock[1] .. ':banned'
    names[#names + 1] = place_of(knock)
    names[#names + 1] = lane_of(knock)
end
for first = 1, #names, MANY do
    for i, value in ipairs(redis.call('MGET', unpack(names, first, math.min(first + MANY - 1, #names)))) do
        known[names[first + i - 1]] = value
    end
end

local function put(key, value, ms)
    known[key] = value
    redis.call('SET', key, value, 'PX', ms)
end

local function session_of(knock)
    if known[knock[1] .. ':banned'] == home then
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
    local lane = lane_of(knock)
    local past, at = known[lane] or '', struct.unpack('<i8', entry)
    local kept = #past
    while kept > 0 and struct.unpack('<i8', past, kept - ENTRY + 1) >= at do
        kept = kept - ENTRY
    end
    if kept == #past then  -- as nearly always; whatever makes a string costs a look at each of its bytes
        put(lane, string.sub(past, ENTRY - KEPT) .. entry, 86400000)
        return past
    end
    local before, after = string.sub(past, 1, kept), string.sub(past, kept + 1)
    if string.sub(after, 1, 8) == string.sub(entry, 1, 8) then
        after = string.sub(after, ENTRY + 1)
    end
    put(lane, string.sub(before .. entry .. after, -KEPT), 86400000)
    return before
end

local function reserve(knock)
    local place = place_of(knock)
    local stood = known[place] or ''
    local state = string.sub(stood, 1, 1)
    if state == 'D' then
        return {'live', 'done', false, 0}
    elseif state == 'F' and tonumber(string.sub(stood, 10)) > knock[6] then
        return {'live', 'flight', false, 0}
    end
    local wait = spend(knock)
    if wait > 0 then
        return {'live', 'spent', false, wait}
    end
    local at = string.sub(state == '' and knock[9] or string.sub(stood, 2), 1, 8)
    local past = pass_lane(knock, at .. string.sub(knock[9], 9))
    put(place, 'F' .. at .. string.format('%.0f', knock[6] + knock[7] * 1000), math.max(knock[7], knock[8]))
    return {'live', state == '' and 'new' or 'again', past, 0}
end

local answers = {}
for i, knock in ipairs(knocks) do
    local session = session_of(knock)
    answers[i] = session == 'live' and reserve(knock) or {session, 'new', false, 0}
end
return answers
