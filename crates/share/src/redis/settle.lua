-- Ends calls and adds what they cost. A batch that was applied already is not applied again.
--
-- ARGV: number of the batch; number of ends, and for each: lease ('' = none), its nano-dollars, window the tokens
-- were counted in ('' = none), correction of tokens; number of charges, and for each: nano-dollars, when the key
-- expires ('' = never).
-- KEYS: the last batch of the replica; counters and leases of each end; the budget of each charge.
local DAY = '86400000'

if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', DAY)

local key, arg = 2, 3
for _ = 1, tonumber(ARGV[2]) do
  local counters, leases = KEYS[key], KEYS[key + 1]
  -- To Redis `-0` is no number.
  if ARGV[arg] ~= '' and redis.call('ZREM', leases, ARGV[arg]) == 1 and ARGV[arg + 1] ~= '0' then
    redis.call('HINCRBY', counters, 'h', '-' .. ARGV[arg + 1])
  end
  if ARGV[arg + 2] ~= '' and redis.call('HGET', counters, 'w') == ARGV[arg + 2] then
    if redis.call('HINCRBY', counters, 't', ARGV[arg + 3]) < 0 then redis.call('HSET', counters, 't', '0') end
  end
  key, arg = key + 2, arg + 4
end

local count = tonumber(ARGV[arg])
arg = arg + 1
for _ = 1, count do
  local added = redis.pcall('HINCRBY', KEYS[key], 's', ARGV[arg])
  -- More than 64 bits hold: spent to the last.
  if type(added) == 'table' and added.err then redis.call('HSET', KEYS[key], 's', '9007199254740991') end
  if ARGV[arg + 1] ~= '' then redis.call('PEXPIREAT', KEYS[key], ARGV[arg + 1]) end
  key, arg = key + 1, arg + 2
end
return 1
