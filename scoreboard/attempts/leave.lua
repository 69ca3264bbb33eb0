-- A password that does not count after all. KEYS: the counts, each one less from now on.
for _, key in ipairs(KEYS) do
    local failures = tonumber(redis.call('HGET', key, 'failures') or 0)
    if failures > 1 then
        redis.call('HINCRBY', key, 'failures', -1)
    else
        redis.call('DEL', key)
    end
end
