-- Forget all rankings of the period.
for _, epoch in ipairs(building()) do
    forget(epoch)
end
local current = redis.call('HGET', meta, 'current')
if current then
    forget(current)
end
redis.call('DEL', meta, base .. ':claim')
return 1
