-- Where a new standing of a score would stand, ahead of its equals: epoch, score, bytes of the tie columns.
-- {0} where another ranking stands; else {1, version, position, rank}.
local epoch, score, ties = ARGV[1], ARGV[2], ARGV[3]
if not stands(epoch) then
    return {0}
end
local position = before(epoch, score, ties) + 1
local rank = position
if rule_of(epoch) == 'dense' then
    local groups, group = of(epoch, 'groups'), ties .. score
    if redis.call('ZSCORE', groups, group) then
        rank = redis.call('ZRANK', groups, group) + 1
    else
        redis.call('ZADD', groups, score, group)
        rank = redis.call('ZRANK', groups, group) + 1
        redis.call('ZREM', groups, group)
    end
end
return {1, version_of(epoch), position, rank}
