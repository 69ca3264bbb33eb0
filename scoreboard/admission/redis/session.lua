-- A session: its id. {} where it is not known, else {role, when it ends, revoked, banned}.
local state = redis.call('HMGET', KEYS[1] .. ':session/' .. ARGV[1], 'role', 'expires_at', 'revoked')
if not state[3] then
    return {}
end
return {state[1] or 'player', state[2] or '0', state[3], redis.call('EXISTS', KEYS[1] .. ':banned')}
