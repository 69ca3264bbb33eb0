-- A session: run id of this process, its id. {} where it is not known, else {role, when it ends, revoked, banned}. What
-- another process was told may be an older copy, in which only an end is to be believed.
local state = redis.call('HMGET', KEYS[1] .. ':session/' .. ARGV[2], 'role', 'expires_at', 'revoked', 'home')
if state[3] ~= '1' and state[4] ~= ARGV[1] then
    return {}
end
local banned = redis.call('GET', KEYS[1] .. ':banned') == ARGV[1]
return {state[1] or 'player', state[2] or '0', state[3], banned and 1 or 0}
