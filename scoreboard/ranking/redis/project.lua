-- Take standings in: epoch, bytes of tie columns, channel, rows, players whose placings are wanted.
-- {0} where another ranking stands; else {1, version, whether it changed, the placings, places of the rows whose names
-- other periods may not have heard of}.
local epoch, ties = ARGV[1], tonumber(ARGV[2])
local rows = cmsgpack.unpack(ARGV[4])
for _, other in ipairs(building()) do
    local dense = rule_of(other) == 'dense'
    for _, row in ipairs(rows) do
        take(other, row, ties, dense)
    end
end
if not stands(epoch) then
    return {0}
end
local rule, changed = rule_of(epoch), false
local dense = rule == 'dense'
local names = {}
for i, row in ipairs(rows) do
    local moved, news = take(epoch, row, ties, dense)
    changed = moved or changed
    if news then
        names[#names + 1] = i - 1
    end
end
local version = changed and announce(epoch, ARGV[3]) or version_of(epoch)
local placings = {}
for i, player in ipairs(cmsgpack.unpack(ARGV[5])) do
    placings[i] = placing(epoch, rule, player, ties)
end
return {1, version, changed and 1 or 0, placings, names}
