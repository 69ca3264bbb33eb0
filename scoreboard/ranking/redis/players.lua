-- Where some players stand: epoch, bytes of tie columns, players, whether with member and name.
-- {0} where another ranking stands; else {1, version, total, for each {position, rank, score, member, name} or {}}.
local epoch, ties = ARGV[1], tonumber(ARGV[2])
if not stands(epoch) then
    return {0}
end
local rule, whole = rule_of(epoch), ARGV[4] == '1'
local answer = {}
for i, player in ipairs(cmsgpack.unpack(ARGV[3])) do
    local standing = known(epoch, player)
    local found = placing(epoch, rule, standing, ties)
    if whole and found[1] then
        found[4] = standing[3]
        found[5] = redis.call('HGET', of(epoch, 'names'), player)
    end
    answer[i] = found
end
return {1, version_of(epoch), redis.call('ZCARD', of(epoch, 'order')), answer}
