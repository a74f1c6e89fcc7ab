-- SPDX-License-Identifier: BSD-2-Clause
-- Checks a message against the limits of a group (sender domain, customer, server) and charges it, or does not. The
-- group's own limits hold before those of its plan, which come with the question.
-- KEYS: limits, block, exempt, state, places
-- ARGV: 1 packed doubles (see script_group_arguments), 2 'n:NODE', 3 its number, 4 `over` of the plan, 5 the plan that
--   holds where the group names none, 6 the plan whose limits these are ('': whatever is named),
--   7 hashes of the client's address, network and AS, eight bytes each (zeros: unknown), 8 the words of `over` that let a
--   message pass, each between blanks, 9 those that turn it away
-- Answer: status ('charged', 'over', 'blocked', 'again', 'version', 'wrong', 'plan'), index of the limit passed (0: none),
--   m ('again': the last number taken), r, the limit passed, what is over it ('blocked': why), the plan that the group
--   names, then the fields and values of its limits
local function answer(status, over, m, r, limit, word, plan)
	return {status, over, m or '', r or '', limit or 0, word or '', plan or ''}
end
local function is_in(words, word)
	return string.match(word, '^%a+$') and string.find(words, ' ' .. word .. ' ', 1, true)
end
local state = redis.pcall('HMGET', KEYS[4], 'v', 'm', 'r', ARGV[2])
local own = redis.pcall('HGETALL', KEYS[1])
if state.err then
	return answer('wrong', 0)
end
if state[1] and state[1] ~= '3' then
	return answer('version', 0)
end
if taken(state[4], ARGV[3]) then
	return answer('again', 0, state[4])
end
-- 1 checked, 2 TTL, 3..6 amounts, 7..19 limits
local p = {struct.unpack('<ddddddddddddddddddd', ARGV[1])}
local plan, word, ends = nil, ARGV[4], 0
if #own > 0 then
	local ROW = {msgs_per_minute = 7, msgs_per_hour = 8, msgs_per_day = 9, rcpts_per_minute = 10, rcpts_per_hour = 11,
		rcpts_per_day = 12, kbytes_per_minute = 13, kbytes_per_hour = 14, kbytes_per_day = 15, new_rcpts_per_day = 16,
		addresses_per_day = 17, networks_per_day = 18, ases_per_day = 19}
	local set, own_word = {}, nil
	for i = 1, #own, 2 do
		local row, value = ROW[own[i]], own[i + 1]
		if row and string.match(value, '^%d+$') and tonumber(value) <= 1e9 then
			set[row] = tonumber(value)
		elseif own[i] == 'over' and (is_in(ARGV[8], value) or is_in(ARGV[9], value)) then
			own_word = value
		elseif own[i] == 'until' and string.match(value, '^%d+$') then
			ends = tonumber(value)
		elseif own[i] == 'plan' and #value <= 63 then
			plan = value
		end
	end
	if ARGV[6] ~= '' and (plan or ARGV[5]) ~= ARGV[6] then
		return answer('plan', 0, '', '', 0, '', plan or ARGV[5])
	end
	if ends == 0 or ends * 1000 > now then
		word = own_word or word
		for row, limit in pairs(set) do
			p[row] = limit
		end
	end
elseif ARGV[6] ~= '' and ARGV[5] ~= ARGV[6] then
	return answer('plan', 0, '', '', 0, '', ARGV[5])
end
local use = read_use(state[2], state[3])
local before = use[1]
roll(use)
local blocked = p[1] == 1 and redis.call('MGET', KEYS[2])[1]
local over = blocked and 0 or over_limit(use, p, 2, 6)
local come = {} -- kinds of place that the message brings and that this day has not seen
for kind = 1, blocked and 0 or 3 do
	local limit, place = p[16 + kind], string.sub(ARGV[7], 8 * kind - 7, 8 * kind)
	if limit >= 0 and place ~= '\0\0\0\0\0\0\0\0' then
		local held = redis.pcall('HMGET', KEYS[5], kind, kind .. place)
		if not held.err and not held[2] then
			if (tonumber(held[1]) or 0) < limit then
				come[#come + 1] = kind
			elseif over == 0 then
				over = 10 + kind
			end
		end
	end
end
if over > 0 and redis.call('MGET', KEYS[3])[1] then
	over = 0
end
local turned_away = blocked or (over > 0 and p[1] == 1 and not is_in(ARGV[8], word))
if not turned_away then
	add(use, p, 2)
	for _, kind in ipairs(come) do
		redis.pcall('HSET', KEYS[5], kind .. string.sub(ARGV[7], 8 * kind - 7, 8 * kind), '')
		redis.pcall('HINCRBY', KEYS[5], kind, 1)
		redis.pcall('EXPIREAT', KEYS[5], (math.floor(now / 86400000) + 1) * 86400)
	end
end
local m, r = write_use(use)
local fields = {'m', m, 'r', r, ARGV[2], ARGV[3]}
if not state[1] then
	fields[#fields + 1] = 'v'
	fields[#fields + 1] = '3'
end
redis.call('HSET', KEYS[4], unpack(fields))
if before == 0 or p[2] < 172800 or math.floor(before / 86400000) ~= math.floor(use[1] / 86400000) then
	redis.call('EXPIRE', KEYS[4], p[2] + 86400)
end
local status = blocked and 'blocked' or turned_away and 'over' or 'charged'
local result = answer(status, over, m, r, over > 0 and p[6 + over] or 0, blocked or word, plan)
for i = 1, math.min(#own, 66) do
	result[7 + i] = own[i]
end
return result
