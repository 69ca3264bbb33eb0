-- Sessions of a player have ended: for how many milliseconds to remember it, then the sessions.
for i = 2, #ARGV do
    local key = KEYS[1] .. ':session/' .. ARGV[i]
    redis.call('HSET', key, 'revoked', '1')
    redis.call('PEXPIRE', key, ARGV[1])
end
return 1
