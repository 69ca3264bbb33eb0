-- What became of submissions: {what all keys of the player begin with, board, action id, 1 where it was committed}.
-- Of the others only the time of the last one before is kept, for a retry to be told the same.
for _, each in ipairs(cmsgpack.unpack(ARGV[1])) do
    local place = each[1] .. ':action/' .. each[2] .. '/' .. each[3]
    if redis.call('EXISTS', place) == 1 then
        redis.call('HSET', place, 'state', each[4] == 1 and 'done' or 'free')
    end
end
return 1
