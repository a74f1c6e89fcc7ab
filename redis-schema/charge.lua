-- SPDX-License-Identifier: BSD-2-Clause
-- Checks one message against all limits and charges all of them, or none.
-- KEYS: state
-- ARGV: 1 node, 2 number, 3 checked (1: only within the limits), 4 quota (1: charge the windows), 5 pass over a limit
--   (1: charge although it is passed), 6 messages, 7 rcpts, 8 level ('' leaves it), 9 score, 10 TTL in seconds,
--   11..16 limits (-1: none), 17..21 what the counters get, 22..26 their half-lives in seconds,
--   27 sender domain without a transport by which SPF passes ('': leave what is there, '-': forget it)
-- Answer: status ('charged', 'over', 'again', 'newer', 'wrong'), index of the limit passed (0: none), use
-- ('again': the last number taken)
local LENGTH = {60, 3600, 86400, 60, 3600, 86400}
local state = redis.pcall('HMGET', KEYS[1], 'msgs', 'rep', 'n:' .. ARGV[1], 'level', 'first', 'v', 'rcpts')
if state.err then
	return {'wrong', 0, ''}
end
if state[6] and state[6] ~= '1' then
	return {'newer', 0, ''}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- numbers are microseconds of the daemon's start, counted up: one far ahead is somebody's slip
local last = tonumber(state[3] or '')
if last and last >= tonumber(ARGV[2]) and last < now * 1000 + 86400000000 then
	return {'again', 0, state[3]}
end

-- what stands there may be anything: a number that is none counts as nothing
local function number(word)
	local value = tonumber(word)
	return value and value >= 0 and value < 1e15 and value or 0
end

-- the windows, brought forward to now
local use, n = {}, 0
for word in string.gmatch((state[1] or '') .. ' ' .. (state[7] or ''), '%S+') do
	n = n + 1
	use[n] = number(word)
end
-- a time far ahead is of a clock that was wrong: what was counted then begins anew
if n ~= 13 or use[1] > now + 600000 then
	use = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
end
local before = use[1]
local at = math.max(now, before)
local over = 0
for i = 1, 6 do
	local length = LENGTH[i] * 1000
	local p = 2 * i
	local passed = math.floor(at / length) - math.floor(before / length)
	if passed > 0 then
		use[p + 1] = passed == 1 and use[p] or 0
		use[p] = 0
	end
	local limit = tonumber(ARGV[10 + i])
	if over == 0 and limit >= 0 and ARGV[4] == '1' then
		local used = use[p] + use[p + 1] * (1 - (at % length) / length)
		if used + tonumber(ARGV[i <= 3 and 6 or 7]) > limit then
			over = i
		end
	end
end
use[1] = at
local charged = ARGV[4] == '1' and (over == 0 or ARGV[3] == '0' or ARGV[5] == '1')
if charged then
	for i = 1, 6 do
		use[2 * i] = use[2 * i] + ARGV[i <= 3 and 6 or 7]
	end
end

-- the counters, decayed to now; they were last brought forward when the windows were
n = 0
local old = {}
for word in string.gmatch(state[2] or '', '%S+') do
	n = n + 1
	old[n] = number(word)
end
if n ~= 5 then
	old = {0, 0, 0, 0, 0}
end
local passed = before > 0 and (at - before) / 1000 or 0
local rep = {}
for i = 1, 5 do
	local add = tonumber(ARGV[16 + i])
	-- a message that is turned away here did not leave; it is a breach
	if over > 0 and not charged then
		add = i == 5 and 1 or (i <= 2 and 0 or add)
	end
	rep[i] = string.format('%.6g', old[i] * 2 ^ (-passed / ARGV[21 + i]) + add)
end

use[1] = string.format('%.0f', use[1])
-- two fields: a listpack takes strings of up to 64 bytes, a hash table would cost an account twice the memory
local msgs, rcpts = table.concat(use, ' ', 1, 7), table.concat(use, ' ', 8, 13)
local fields = {'msgs', msgs, 'rcpts', rcpts, 'rep', table.concat(rep, ' '), 'n:' .. ARGV[1], ARGV[2]}
if not state[5] then
	fields[#fields + 1] = 'first'
	fields[#fields + 1] = time[1]
	fields[#fields + 1] = 'v'
	fields[#fields + 1] = 1
end
if ARGV[8] ~= '' then
	fields[#fields + 1] = 'score'
	fields[#fields + 1] = ARGV[9]
	if ARGV[8] ~= state[4] then
		fields[#fields + 1] = 'level'
		fields[#fields + 1] = ARGV[8]
		fields[#fields + 1] = 'since'
		fields[#fields + 1] = time[1]
	end
end
if ARGV[27] == '-' then
	redis.call('HDEL', KEYS[1], 'spf')
elseif ARGV[27] ~= '' then
	fields[#fields + 1] = 'spf'
	fields[#fields + 1] = ARGV[27]
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('EXPIRE', KEYS[1], ARGV[10])
return {(over > 0 and not charged) and 'over' or 'charged', over, msgs .. ' ' .. rcpts}
