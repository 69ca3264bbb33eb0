-- Begin to build a ranking: epoch, rule of the ranks, lease in milliseconds.
forget(ARGV[1])
redis.call('HSET', meta, 'build ' .. ARGV[1], now_ms() + ARGV[3])
redis.call('HSET', of(ARGV[1], 'facts'), 'rule', ARGV[2], 'version', 0, 'low', 0, 'high', 0)
return 1
