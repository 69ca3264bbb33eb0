-- The ranking of one board period: what all scripts begin with.
--
-- KEYS[1] is what all keys of the period begin with. There may be several rankings of it, each under an epoch: the one
-- that is read (`current`) and those being built, which have a lease. Of each there are
--   order     sorted set: order keys without the score, which is the sorted set's own score (as text: Lua's numbers
--             would lose digits)
--   keys      hash: player -> "revision score member", or "revision" where the standing must not be seen
--   names     hash: player -> "revision name"
--   groups    sorted set of what standings of a shared rank have in common, and `sizes`, hash: how many each has; only
--             where ranks are dense
--   facts     hash: version, rule of the ranks, and the sum of scores in two parts
local base = KEYS[1]
local meta = base .. ':meta'
local HALF = 67108864
-- Words of one command at most, an even number: Lua's stack holds 8,000.
local MANY = 4000

local function of(epoch, what)
    return base .. ':' .. epoch .. ':' .. what
end

local function forget(epoch)
    for _, what in ipairs({'order', 'keys', 'names', 'groups', 'sizes', 'facts'}) do
        redis.call('UNLINK', of(epoch, what))
    end
end

local function now_ms()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The epochs being built; those whose builder has not been heard of are forgotten.
local function building()
    local found = {}
    local fields = redis.call('HGETALL', meta)
    for i = 1, #fields, 2 do
        local epoch = string.match(fields[i], '^build (%d+)$')
        if epoch then
            if tonumber(fields[i + 1]) < now_ms() then
                redis.call('HDEL', meta, fields[i])
                forget(epoch)
            else
                found[#found + 1] = epoch
            end
        end
    end
    return found
end

local function stands(epoch)
    return redis.call('HGET', meta, 'current') == epoch
end

local function split(text)
    local at = string.find(text, ' ', 1, true)
    if not at then
        return text, ''
    end
    return string.sub(text, 1, at - 1), string.sub(text, at + 1)
end

-- Revision, score and member of a standing as it is kept; the member is '' where it must not be seen.
local function parsed(text)
    if not text then
        return {nil, '', ''}
    end
    local revision, rest = split(text)
    local score, member = split(rest)
    return {tonumber(revision), score, member}
end

local function known(epoch, player)
    return parsed(redis.call('HGET', of(epoch, 'keys'), player))
end

-- A command with any number of words, so many at a time.
local function in_pieces(command, key, words, taken)
    for first = 1, #words, MANY do
        local answer = redis.call(command, key, unpack(words, first, math.min(first + MANY - 1, #words)))
        if taken then
            taken(answer, first - 1)
        end
    end
end

-- Fields of a hash, false for each that is not there.
local function fields_of(key, fields)
    local found = {}
    in_pieces('HMGET', key, fields, function(values, offset)
        for i, value in ipairs(values) do
            found[offset + i] = value
        end
    end)
    return found
end

local function group_of(score, member, ties)
    return string.sub(member, 1, ties) .. score
end

-- The sum of scores, in two parts, and how many there are in each group: how much more than is stored.
local function count(counted, standing, times, ties, dense)
    local score = standing[2]
    local number = tonumber(score)
    local low = number % HALF
    counted.low = counted.low + times * low
    counted.high = counted.high + times * (number - low) / HALF
    if dense then
        local group = group_of(score, standing[3], ties)
        counted.groups[group] = (counted.groups[group] or 0) + times
        counted.scores[group] = score
    end
end

local function store_count(epoch, counted)
    -- Adding zero makes a zero of what would be written as "-0".
    redis.call('HINCRBY', of(epoch, 'facts'), 'low', counted.low + 0)
    redis.call('HINCRBY', of(epoch, 'facts'), 'high', counted.high + 0)
    for group, more in pairs(counted.groups) do
        if more ~= 0 then
            if redis.call('HINCRBY', of(epoch, 'sizes'), group, more) == 0 then
                redis.call('HDEL', of(epoch, 'sizes'), group)
                redis.call('ZREM', of(epoch, 'groups'), group)
            elseif more > 0 then
                redis.call('ZADD', of(epoch, 'groups'), counted.scores[group], group)
            end
        end
    end
end

-- What is kept of a name when one is told: that one unless a newer one is known. Besides, whether a known name was
-- replaced by another, and whether other periods may not have heard of this one.
local function newest_name(kept, name, revision)
    local told = revision .. ' ' .. name
    if not kept then
        return told, false, revision > 1
    elseif kept == told then
        return kept, false, false
    end
    local newest, old = split(kept)
    if tonumber(newest) > revision then
        return kept, false, false
    end
    return told, old ~= name, true
end

-- Replace standings and names by what became of them, each in one command for all.
local function store(epoch, players, before, after, kept, named, ties, dense)
    local out, into, keys, names = {}, {}, {}, {}
    local counted = {low = 0, high = 0, groups = {}, scores = {}}
    for _, player in ipairs(players) do
        local old, new = before[player], after[player]
        if old[2] ~= new[2] or old[3] ~= new[3] then
            if old[3] ~= '' then
                out[#out + 1] = old[3]
                count(counted, old, -1, ties, dense)
            end
            if new[3] ~= '' then
                into[#into + 1] = new[2]
                into[#into + 1] = new[3]
                count(counted, new, 1, ties, dense)
            end
        end
        if old ~= new then
            keys[#keys + 1] = player
            keys[#keys + 1] = new[3] == '' and new[1] or new[1] .. ' ' .. new[2] .. ' ' .. new[3]
        end
        if kept[player] ~= named[player] then
            names[#names + 1] = player
            names[#names + 1] = named[player]
        end
    end
    in_pieces('ZREM', of(epoch, 'order'), out)
    in_pieces('ZADD', of(epoch, 'order'), into)
    in_pieces('HSET', of(epoch, 'keys'), keys)
    in_pieces('HSET', of(epoch, 'names'), names)
    if out[1] or into[1] then
        store_count(epoch, counted)
    end
end

-- Take standings in: {player, revision, score, member, name, revision of the name}, score and member '' where one must
-- not be seen. Tells whether a viewer sees a change, the standings of the players afterwards, and the places of rows
-- whose names other periods may not have heard of.
local function take(epoch, rows, ties, dense)
    local players, before, after, kept, named, news = {}, {}, {}, {}, {}, {}
    for i, row in ipairs(rows) do
        players[i] = row[1]
    end
    local keys, names = fields_of(of(epoch, 'keys'), players), fields_of(of(epoch, 'names'), players)
    local changed = false
    players = {}
    for i, row in ipairs(rows) do
        local player, revision = row[1], row[2]
        if not before[player] then
            players[#players + 1] = player
            before[player], kept[player] = parsed(keys[i]), names[i]
            after[player], named[player] = before[player], names[i]
        end
        local old, renamed = after[player], nil
        named[player], renamed, news[#news + 1] = newest_name(named[player], row[5], row[6])
        if old[1] and old[1] > revision then
            changed = changed or (renamed and old[3] ~= '')
        else
            after[player] = {revision, row[3], row[4]}
            changed = changed or old[2] ~= row[3] or old[3] ~= row[4] or (renamed and row[4] ~= '')
        end
    end
    store(epoch, players, before, after, kept, named, ties, dense)
    return changed, after, news
end

local function rule_of(epoch)
    return redis.call('HGET', of(epoch, 'facts'), 'rule')
end

-- How many standings are before a member that need not be there.
local function before(epoch, score, member)
    local order = of(epoch, 'order')
    local rank = redis.call('ZRANK', order, member)
    if rank and redis.call('ZSCORE', order, member) == score then
        return rank
    end
    redis.call('ZADD', order, score, member)
    rank = redis.call('ZRANK', order, member)
    redis.call('ZREM', order, member)
    return rank
end

-- The rank of a standing at a position.
local function rank_at(epoch, rule, position, score, member, ties)
    if rule == 'unique' then
        return position
    elseif rule == 'dense' then
        return redis.call('ZRANK', of(epoch, 'groups'), group_of(score, member, ties)) + 1
    elseif ties == 0 then
        return redis.call('ZCOUNT', of(epoch, 'order'), '-inf', '(' .. score) + 1
    end
    -- No member is as short as this one, which is before all that begin with it.
    return before(epoch, score, string.sub(member, 1, ties)) + 1
end

-- Where a standing is: {position, rank, score}, or {} for one that must not be seen.
local function placing(epoch, rule, standing, ties)
    local score, member = standing[2], standing[3]
    if member == '' then
        return {}
    end
    local position = redis.call('ZRANK', of(epoch, 'order'), member) + 1
    return {position, rank_at(epoch, rule, position, score, member, ties), score}
end

-- Another version, told to everyone who follows the channel.
local function announce(epoch, channel)
    local version = redis.call('HINCRBY', of(epoch, 'facts'), 'version', 1)
    redis.call('PUBLISH', channel, epoch .. ' ' .. version)
    return version
end

local function version_of(epoch)
    return tonumber(redis.call('HGET', of(epoch, 'facts'), 'version'))
end
