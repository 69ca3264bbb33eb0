-- What is to be known of the ranking: epoch. {0} where another stands; else {1, version, total, sum in two parts}.
if not stands(ARGV[1]) then
    return {0}
end
local facts = redis.call('HMGET', of(ARGV[1], 'facts'), 'version', 'high', 'low')
return {1, tonumber(facts[1]), redis.call('ZCARD', of(ARGV[1], 'order')), facts[2], facts[3]}
