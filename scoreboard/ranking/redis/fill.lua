-- Take a page of standings into a ranking being built: epoch, lease in milliseconds, bytes of tie columns, rows.
-- 0 where it is not being built any more.
local epoch, ties = ARGV[1], tonumber(ARGV[3])
if redis.call('HEXISTS', meta, 'build ' .. epoch) == 0 then
    return 0
end
redis.call('HSET', meta, 'build ' .. epoch, now_ms() + ARGV[2])
redis.call('PEXPIRE', base .. ':claim', ARGV[2])
take(epoch, cmsgpack.unpack(ARGV[4]), ties, rule_of(epoch) == 'dense')
return 1
