-- A session as it was read from the database: run id of this process, session, role, when it ends (microseconds), revoked,
-- banned, and for how many milliseconds to keep it. What was heard of meanwhile is not undone: a revocation stays, a ban
-- is a mark of its own.
local home, key = ARGV[1], KEYS[1] .. ':session/' .. ARGV[2]
if redis.call('HGET', key, 'revoked') ~= '1' then
    redis.call('HSET', key, 'home', home, 'role', ARGV[3], 'expires_at', ARGV[4], 'revoked', ARGV[5])
    redis.call('PEXPIRE', key, ARGV[7])
end
if ARGV[6] == '1' and redis.call('GET', KEYS[1] .. ':lifted') ~= home then
    redis.call('SET', KEYS[1] .. ':banned', home, 'PX', ARGV[7])
end
return 1
