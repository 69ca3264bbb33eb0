-- Show a player under another name: epoch, channel, player, name, revision of the name.
-- {0} where another ranking stands; else {1, version, whether it changed}.
local epoch, player, name, revision = ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5])
for _, other in ipairs(building()) do
    take_name(other, player, name, revision)
end
if not stands(epoch) then
    return {0}
end
local _, _, member = known(epoch, player)
if take_name(epoch, player, name, revision) and member ~= '' then
    return {1, announce(epoch, ARGV[2]), 1}
end
return {1, version_of(epoch), 0}
