-- A session as it was read from the database: session, role, when it ends (microseconds), revoked, banned, and for how
-- many milliseconds to keep it. What was heard of meanwhile is not undone: a revocation stays, a ban is a mark of its own.
local key = KEYS[1] .. ':session/' .. ARGV[1]
if redis.call('HGET', key, 'revoked') ~= '1' then
    redis.call('HSET', key, 'role', ARGV[2], 'expires_at', ARGV[3], 'revoked', ARGV[4])
    redis.call('PEXPIRE', key, ARGV[6])
end
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[1] .. ':lifted') == 0 then
    redis.call('SET', KEYS[1] .. ':banned', 1, 'PX', ARGV[6])
end
return 1
