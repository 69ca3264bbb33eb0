-- Show a player under another name: epoch, channel, player, name, revision of the name.
-- {0} where another ranking stands; else {1, version, whether it changed}.
local epoch, player, name, revision = ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5])

local function rename(one)
    local kept = redis.call('HGET', of(one, 'names'), player)
    local named, renamed = newest_name(kept, name, revision)
    if named ~= kept then
        redis.call('HSET', of(one, 'names'), player, named)
    end
    return renamed
end

for _, other in ipairs(building()) do
    rename(other)
end
if not stands(epoch) then
    return {0}
end
if rename(epoch) and known(epoch, player)[3] ~= '' then
    return {1, announce(epoch, ARGV[2]), 1}
end
return {1, version_of(epoch), 0}
