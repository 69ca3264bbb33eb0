-- Become the one who builds: token, lease in milliseconds. 0 where somebody else is.
local holder = redis.call('GET', base .. ':claim')
if holder and holder ~= ARGV[1] then
    return 0
end
redis.call('SET', base .. ':claim', ARGV[1], 'PX', ARGV[2])
return 1
