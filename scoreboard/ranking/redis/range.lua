-- A stretch of the ranking: epoch, bytes of tie columns, where, and what that needs:
--   top     how many
--   after   how many, score and member
--   before  how many, score and member ('' for the end)
--   around  how many on each side, player
-- {0} where another ranking stands; else {1, version, total, first position, rank there, members and scores, names}.
local epoch, ties, where, count = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if not stands(epoch) then
    return {0}
end
local order = of(epoch, 'order')
local total, version = redis.call('ZCARD', order), version_of(epoch)
local first = 0
if where == 'after' then
    first = before(epoch, ARGV[5], ARGV[6])
    if redis.call('ZSCORE', order, ARGV[6]) == ARGV[5] then
        first = first + 1
    end
elseif where == 'before' then
    local stop = ARGV[6] == '' and total or before(epoch, ARGV[5], ARGV[6])
    first = math.max(0, stop - count)
    count = stop - first
elseif where == 'around' then
    local member = known(epoch, ARGV[5])[3]
    if member == '' then
        return {1, version, total, 0, 0, {}, {}}
    end
    local at = redis.call('ZRANK', order, member)
    local wanted = math.min(2 * count + 1, total)
    first = math.max(0, math.min(at - count, total - wanted))
    count = wanted
end
if count <= 0 then
    return {1, version, total, 0, 0, {}, {}}
end
local found = redis.call('ZRANGE', order, first, first + count - 1, 'WITHSCORES')
if #found == 0 then
    return {1, version, total, 0, 0, {}, {}}
end
local players = {}
for i = 1, #found, 2 do
    players[#players + 1] = string.sub(found[i], ties + 9)
end
local names = redis.call('HMGET', of(epoch, 'names'), unpack(players))
local rank = rank_at(epoch, rule_of(epoch), first + 1, found[2], found[1], ties)
return {1, version, total, first + 1, rank, found, names}
