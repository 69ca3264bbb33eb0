-- A ranking is whole: read it from now on, unless one of a higher epoch is read already: epoch, channel.
local epoch = ARGV[1]
redis.call('DEL', base .. ':claim')
if redis.call('HDEL', meta, 'build ' .. epoch) == 0 then
    return 0
end
local current = redis.call('HGET', meta, 'current')
if current and tonumber(current) >= tonumber(epoch) then
    forget(epoch)
    return 0
end
redis.call('HSET', meta, 'current', epoch)
if current then
    forget(current)
end
announce(epoch, ARGV[2])
return 1
