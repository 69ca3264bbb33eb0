-- Renew a replica's lease, and forget the replicas whose leases have ended; answers how many holders its hash has.
-- KEYS: the replicas by the end of their leases, the hash of the one that asks
-- ARGV: its id, the lease in milliseconds
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], tonumber(ARGV[2]))
return redis.call('HLEN', KEYS[2])
