-- Take standings in: epoch, bytes of tie columns, channel, rows, places of those whose placings are wanted.
-- {0} where another ranking stands; else {1, version, whether it changed, the placings, places of the rows whose names
-- other periods may not have heard of}.
local epoch, ties = ARGV[1], tonumber(ARGV[2])
local rows = cmsgpack.unpack(ARGV[4])
for _, other in ipairs(building()) do
    take(other, rows, ties, rule_of(other) == 'dense')
end
if not stands(epoch) then
    return {0}
end
local rule = rule_of(epoch)
local changed, standings, news = take(epoch, rows, ties, rule == 'dense')
local version = changed and announce(epoch, ARGV[3]) or version_of(epoch)
local placings = {}
for i, place in ipairs(cmsgpack.unpack(ARGV[5])) do
    placings[i] = placing(epoch, rule, standings[rows[place + 1][1]], ties)
end
local names = {}
for i, is_news in ipairs(news) do
    if is_news then
        names[#names + 1] = i - 1
    end
end
return {1, version, changed and 1 or 0, placings, names}
