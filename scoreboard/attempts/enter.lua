-- A password that somebody wants to try, at an instant in microseconds. Each key counts wrong ones and holds
-- {failures, instant of the last one}; each has four arguments: how many are free, the first and the longest pause, and
-- after how long all is forgotten, in microseconds (free of 0: nothing waits). KEYS: the counts.
-- ARGV: the instant, then the arguments of each key. Returns the microseconds to wait, or 0; then each counts one more.
local now = tonumber(ARGV[1])
local function argument(i, number)
    return tonumber(ARGV[1 + (i - 1) * 4 + number])
end

local counts, wait = {}, 0
for i, key in ipairs(KEYS) do
    local state = redis.call('HMGET', key, 'failures', 'last_at')
    local failures, last_at = tonumber(state[1] or 0), tonumber(state[2] or 0)
    local free, first, longest, forgotten = argument(i, 1), argument(i, 2), argument(i, 3), argument(i, 4)
    if now - last_at >= forgotten then
        failures = 0
    end
    counts[i] = failures
    if free > 0 and failures >= free then
        local pause = math.min(longest, first * 2 ^ math.min(failures - free, 40))
        wait = math.max(wait, last_at + pause - now)
    end
end
if wait > 0 then
    return math.ceil(wait)
end
for i, key in ipairs(KEYS) do
    if argument(i, 1) > 0 then
        redis.call('HSET', key, 'failures', counts[i] + 1, 'last_at', string.format('%.0f', now))
        redis.call('PEXPIRE', key, math.ceil(argument(i, 4) / 1000))
    end
end
return 0
