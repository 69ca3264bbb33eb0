-- A player is banned (1) or is no longer (0): run id of this process, which, and for how many milliseconds to remember it.
local old, new = ':banned', ':lifted'
if ARGV[2] == '1' then
    old, new = ':lifted', ':banned'
end
redis.call('DEL', KEYS[1] .. old)
redis.call('SET', KEYS[1] .. new, ARGV[1], 'PX', ARGV[3])
return 1
