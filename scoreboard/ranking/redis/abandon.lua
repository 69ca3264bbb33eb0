-- A ranking will not be finished: epoch.
redis.call('DEL', base .. ':claim')
if redis.call('HDEL', meta, 'build ' .. ARGV[1]) == 1 then
    forget(ARGV[1])
end
return 1
