-- A player is banned (1) or is no longer (0); for how many milliseconds to remember either.
local old, new = ':banned', ':lifted'
if ARGV[1] == '1' then
    old, new = ':lifted', ':banned'
end
redis.call('DEL', KEYS[1] .. old)
redis.call('SET', KEYS[1] .. new, 1, 'PX', ARGV[2])
return 1
