-- Reserves a call with all its accounts, or with none. The rules are those of `policy::account`.
--
-- ARGV: now in ms, or '' for the server's clock; ticket; replica; how long a lease lasts in ms; number of accounts; then
-- for each: requests, tokens and calls allowed ('' = any), tokens asked, nano-dollars asked, '1' if budgets are
-- asked, '1' if a lease is held, number of budgets, and for each of those: limit, spent as far as the caller knows,
-- when its key expires ('' = never).
-- KEYS: for each account its counters, its leases, and its budgets.
-- Reply: {1, for each account: since, ms to the end, requests, tokens, calls} or {0, account, what, …}, from 1.
local WINDOW = 60000
local KEEP = 600000

local function text(number) return string.format('%.0f', number) end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local ticket, replica, lease = ARGV[2], ARGV[3], tonumber(ARGV[4])

-- Leases that nobody renewed are given back: whoever held them is gone.
local function lapse(ask)
  for _, member in ipairs(redis.call('ZRANGE', ask.leases, '-inf', text(now), 'BYSCORE', 'LIMIT', 0, 100)) do
    redis.call('ZREM', ask.leases, member)
    local nano = string.match(member, '%d+$')
    -- To Redis `-0` is no number.
    if nano ~= '0' then redis.call('HINCRBY', ask.counters, 'h', '-' .. nano) end
  end
  ask.calls = redis.call('ZCARD', ask.leases)
  if ask.calls == 0 then redis.call('HDEL', ask.counters, 'h') end
end

local function window(ask)
  local seen = redis.call('HMGET', ask.counters, 'w', 'e', 'r', 't', 'h')
  ask.since, ask.ends = tonumber(seen[1] or 0), tonumber(seen[2] or 0)
  ask.requests, ask.used = tonumber(seen[3] or 0), tonumber(seen[4] or 0)
  ask.held = math.max(0, tonumber(seen[5] or 0))
  if now < ask.ends then
    ask.ends = math.min(ask.ends, now + WINDOW)
    return
  end
  local earliest = ask.ends == 0 and 0 or ask.since + 1
  ask.since, ask.ends, ask.requests, ask.used = math.max(now, earliest), now + WINDOW, 0, 0
  ask.begins = true
end

local function refusal(index, ask)
  if ask.billed then
    for number, budget in ipairs(ask.budgets) do
      if budget.spent >= budget.limit or budget.spent + ask.held + ask.nano > budget.limit then
        return {0, index, 4, number, budget.spent, ask.held}
      end
    end
  end
  local rest = ask.ends - now
  if ask.rpm and ask.requests >= ask.rpm then return {0, index, 1, rest} end
  if ask.tpm and (ask.used >= ask.tpm or ask.used + ask.tokens > ask.tpm) then
    return {0, index, 2, rest, ask.used}
  end
  if ask.parallel and ask.calls >= ask.parallel then return {0, index, 3} end
end

local key, arg = 1, 6
local asks = {}
for index = 1, tonumber(ARGV[5]) do
  local ask = {
    counters = KEYS[key], leases = KEYS[key + 1], calls = 0, budgets = {},
    rpm = tonumber(ARGV[arg]), tpm = tonumber(ARGV[arg + 1]), parallel = tonumber(ARGV[arg + 2]),
    tokens = tonumber(ARGV[arg + 3]), nano = tonumber(ARGV[arg + 4]), asked = ARGV[arg + 4],
    billed = ARGV[arg + 5] == '1', leased = ARGV[arg + 6] == '1',
  }
  local count = tonumber(ARGV[arg + 7])
  key, arg = key + 2, arg + 8
  for number = 1, count do
    local seen = redis.call('HMGET', KEYS[key], 's', replica)
    local budget = {key = KEYS[key], limit = tonumber(ARGV[arg]), expires = ARGV[arg + 2]}
    budget.spent, budget.known = tonumber(seen[1] or 0), seen[2]
    -- Each replica says once what it knows of: a server that lost its memory learns it from them.
    if not budget.known then
      local known = tonumber(ARGV[arg + 1])
      budget.spent = seen[1] and math.max(budget.spent, known) or known
    end
    ask.budgets[number] = budget
    key, arg = key + 1, arg + 3
  end
  if ask.leased then lapse(ask) end
  window(ask)
  local refused = refusal(index, ask)
  if refused then return refused end
  asks[index] = ask
end

local reply = {1}
for _, ask in ipairs(asks) do
  ask.requests, ask.used = ask.requests + 1, ask.used + ask.tokens
  redis.call('HSET', ask.counters, 'w', text(ask.since), 'e', text(ask.ends), 'r', text(ask.requests), 't', text(ask.used))
  if ask.begins or ask.leased and ask.calls == 0 then redis.call('PEXPIRE', ask.counters, text(math.max(KEEP, 3 * lease))) end
  if ask.leased then
    redis.call('ZADD', ask.leases, text(now + lease), ticket .. ':' .. ask.asked)
    redis.call('HINCRBY', ask.counters, 'h', ask.asked)
    redis.call('PEXPIRE', ask.leases, text(2 * lease))
    ask.calls = ask.calls + 1
  end
  for _, budget in ipairs(ask.budgets) do
    if not budget.known then
      redis.call('HSET', budget.key, 's', text(budget.spent), replica, '1')
      if budget.expires ~= '' then redis.call('PEXPIREAT', budget.key, budget.expires) end
    end
  end
  for _, number in ipairs({ask.since, ask.ends - now, ask.requests, ask.used, ask.calls}) do
    reply[#reply + 1] = number
  end
end
return reply
