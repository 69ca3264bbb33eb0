-- Sessions of a player have ended, whatever process this is: its run id, for how many milliseconds to remember it, then
-- the sessions.
for i = 3, #ARGV do
    local key = KEYS[1] .. ':session/' .. ARGV[i]
    redis.call('HSET', key, 'revoked', '1')
    redis.call('PEXPIRE', key, ARGV[2])
end
return 1
