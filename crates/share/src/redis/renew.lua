-- Renews the leases of calls that still run, and makes them anew where the server forgot them.
--
-- ARGV: now in ms, or '' for the server's clock; how long a lease lasts in ms; then for each its name and nano-dollars.
-- KEYS: counters and leases of each.
local function text(number) return string.format('%.0f', number) end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local lease = tonumber(ARGV[2])
for index = 1, #KEYS / 2 do
  local counters, leases = KEYS[2 * index - 1], KEYS[2 * index]
  local member, nano = ARGV[2 * index + 1], ARGV[2 * index + 2]
  if redis.call('ZADD', leases, text(now + lease), member) == 1 then redis.call('HINCRBY', counters, 'h', nano) end
  redis.call('PEXPIRE', leases, text(2 * lease))
  redis.call('PEXPIRE', counters, text(math.max(600000, 3 * lease)))
end
return 1
