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

-- Revision, score and member of a player's standing; the member is '' where it must not be seen.
local function known(epoch, player)
    local text = redis.call('HGET', of(epoch, 'keys'), player)
    if not text then
        return nil, '', ''
    end
    local revision, rest = split(text)
    local score, member = split(rest)
    return tonumber(revision), score, member
end

local function add_up(epoch, score, times)
    local number = tonumber(score)
    local low = number % HALF
    -- Adding zero makes a zero of what would be written as "-0".
    redis.call('HINCRBY', of(epoch, 'facts'), 'low', times * low + 0)
    redis.call('HINCRBY', of(epoch, 'facts'), 'high', times * (number - low) / HALF + 0)
end

local function group_of(score, member, ties)
    return string.sub(member, 1, ties) .. score
end

local function put(epoch, score, member, ties, dense)
    redis.call('ZADD', of(epoch, 'order'), score, member)
    add_up(epoch, score, 1)
    if dense then
        local group = group_of(score, member, ties)
        redis.call('ZADD', of(epoch, 'groups'), score, group)
        redis.call('HINCRBY', of(epoch, 'sizes'), group, 1)
    end
end

local function take_out(epoch, score, member, ties, dense)
    redis.call('ZREM', of(epoch, 'order'), member)
    add_up(epoch, score, -1)
    if dense then
        local group = group_of(score, member, ties)
        if redis.call('HINCRBY', of(epoch, 'sizes'), group, -1) == 0 then
            redis.call('HDEL', of(epoch, 'sizes'), group)
            redis.call('ZREM', of(epoch, 'groups'), group)
        end
    end
end

-- Take a name in unless a newer one is known. Tells whether a known name was replaced by another, and whether other
-- periods may not have heard of this one.
local function take_name(epoch, player, name, revision)
    local before = redis.call('HGET', of(epoch, 'names'), player)
    if not before then
        redis.call('HSET', of(epoch, 'names'), player, revision .. ' ' .. name)
        return false, revision > 1
    end
    local newest, old = split(before)
    if tonumber(newest) > revision then
        return false, false
    end
    redis.call('HSET', of(epoch, 'names'), player, revision .. ' ' .. name)
    return old ~= name, old ~= name
end

-- Take a standing in: {player, revision, score, member, name, revision of the name}, score and member '' where it must
-- not be seen. Tells whether a viewer sees a change, and whether other periods may not have heard of the name.
local function take(epoch, row, ties, dense)
    local player, revision, score, member = row[1], row[2], row[3], row[4]
    local before, old_score, old_member = known(epoch, player)
    local renamed, news = take_name(epoch, player, row[5], row[6])
    if before and before > revision then
        return renamed and old_member ~= '', news
    end
    local moved = old_score ~= score or old_member ~= member
    if moved and old_member ~= '' then
        take_out(epoch, old_score, old_member, ties, dense)
    end
    if moved and member ~= '' then
        put(epoch, score, member, ties, dense)
    end
    if member == '' then
        redis.call('HSET', of(epoch, 'keys'), player, revision)
    else
        redis.call('HSET', of(epoch, 'keys'), player, revision .. ' ' .. score .. ' ' .. member)
    end
    return moved or (renamed and member ~= ''), news
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

-- Where a player stands: {position, rank, score}, or {} for one who is not on the board.
local function placing(epoch, rule, player, ties)
    local _, score, member = known(epoch, player)
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
