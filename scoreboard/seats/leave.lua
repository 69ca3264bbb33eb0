-- Give one seat back.
-- KEYS: the hash of the replica that asks
-- ARGV: the holder
local taken = tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
if taken > 1 then
  redis.call('HINCRBY', KEYS[1], ARGV[1], -1)
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return taken
