-- Take one more seat, unless the holder has as many as it may on all replicas together; answers 1 if it was taken.
-- KEYS: the replicas by the end of their leases, the hash of the one that asks
-- ARGV: its id, what the hashes of all begin with, the holder, the cap (0: none), the lease in milliseconds
local replicas, mine = KEYS[1], KEYS[2]
local id, prefix, holder, cap, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if cap > 0 then
  local taken = 0
  for _, replica in ipairs(redis.call('ZRANGEBYSCORE', replicas, now, '+inf')) do
    taken = taken + (tonumber(redis.call('HGET', prefix .. replica, holder)) or 0)
  end
  if taken >= cap then
    return 0
  end
end
redis.call('ZADD', replicas, now + lease, id)
redis.call('HINCRBY', mine, holder, 1)
redis.call('PEXPIRE', mine, lease)
return 1
