-- SPDX-License-Identifier: BSD-2-Clause
-- Writes an account's record where it is still the one that was read: else answers what is there. It judges nothing.
-- KEYS: record, state, known
-- ARGV: 1 the head of the record that was read ('': there was none), 2 the new record, 3 its seconds to live, 4 known
--   recipients ('': as they are), then fields and values of state
-- Answer, where it was written: one item, which is an error where state could not be
if redis.call('GETRANGE', KEYS[1], 0, 10) ~= ARGV[1] then
	return redis.call('MGET', KEYS[1], KEYS[3])
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
if ARGV[4] ~= '' then
	redis.call('SET', KEYS[3], ARGV[4], 'EX', ARGV[3])
end
local shown = 1
if #ARGV > 4 then
	shown = redis.pcall('HSET', KEYS[2], unpack(ARGV, 5))
	redis.call('EXPIRE', KEYS[2], ARGV[3])
	redis.call('EXPIRE', KEYS[3], ARGV[3])
end
return {shown}
