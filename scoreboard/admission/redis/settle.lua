-- What became of submissions: {what all keys of the player begin with, board, action, action id, 1 where it was committed}.
-- Of the others the instant is kept, for a retry to be told the same; the player's history forgets it until then.
local ENTRY = 16

local function forget(lane, at)
    local past = redis.call('GET', lane) or ''
    for i = 1, #past, ENTRY do
        if string.sub(past, i, i + 7) == at then
            redis.call('SET', lane, string.sub(past, 1, i - 1) .. string.sub(past, i + ENTRY), 'KEEPTTL')
            return
        end
    end
end

for _, each in ipairs(cmsgpack.unpack(ARGV[1])) do
    local place = each[1] .. ':action/' .. each[2] .. '/' .. each[4]
    if each[5] == 1 then
        redis.call('SET', place, 'D', 'XX', 'KEEPTTL')
    else
        local stood = redis.call('GET', place)
        if stood and stood ~= 'D' then
            local at = string.sub(stood, 2, 9)
            redis.call('SET', place, 'R' .. at, 'KEEPTTL')
            forget(each[1] .. ':past/' .. each[2] .. '/' .. each[3], at)
        end
    end
end
return 1
