-- SPDX-License-Identifier: BSD-2-Clause
-- Checks one message against all limits and charges all of them, or none. What policy/history.c does.
-- KEYS: state, known
-- ARGV: 1 packed doubles (see script_charge_arguments), 2 'n:NODE', 3 its number, 4 level ('': leave it), 5 known
--   recipients (four bytes each), 6 doubles in pairs: which counters get another count where the message is turned away,
--   then fields and values that are set as they are: first habits, which like known recipients are none of a message
--   that is turned away
-- Answer: status ('charged', 'over', 'again', 'version', 'wrong'), index of the limit passed (0: none), m
--   ('again': the last number taken), r
local LIST, MAP = 8000, 8192 -- bytes
-- Known recipients, as policy/known.h says: a list of their hashes, four bytes each, and once that is long a map.
local function each_bit(hashes, run)
	for i = 1, #hashes, 4 do
		local a, b, c, d = string.byte(hashes, i, i + 3)
		local step = bit.bor(c * 256 + d, 1)
		for k = 0, 3 do
			run((a * 256 + b + k * step) % (8 * MAP))
		end
	end
end
local function map_of(hashes)
	local bytes, parts = {}, {}
	for i = 1, MAP do
		bytes[i] = 0
	end
	each_bit(hashes, function(n)
		local at = math.floor(n / 8) + 1
		bytes[at] = bit.bor(bytes[at], bit.rshift(128, n % 8))
	end)
	for i = 1, MAP, 1024 do
		parts[#parts + 1] = string.char(unpack(bytes, i, i + 1023))
	end
	return table.concat(parts)
end
local function know(key, hashes)
	local length = redis.pcall('STRLEN', key)
	if type(length) ~= 'number' then
		return -- another type; fetch.lua names it
	end
	if length == MAP then
		each_bit(hashes, function(n)
			redis.call('SETBIT', key, n, 1)
		end)
		return
	end
	if length <= LIST and length % 4 == 0 then
		hashes = (redis.call('GET', key) or '') .. hashes
	end -- else it is neither of them
	redis.call('SET', key, #hashes <= LIST and hashes or map_of(hashes)) -- APPEND would take twice the room
end
local HALF_LIFE = {604800, 604800, 604800, 172800, 86400, 604800, 604800, 1209600, 3600, 1209600, 43200, 86400, 86400, 86400, 21600, 43200, 86400}
local CAP = {1000000000, 1000000000, 1000000000, 1000, 1000, 1000000000, 1000000, 1000000, 1000, 1000, 12, 6, 6, 6, 6, 6, 12}
local REP, COUNTERS = 5, 17
local state = redis.pcall('HMGET', KEYS[1], 'v', 'm', 'r', 'c', 's', ARGV[2], 'level', 'first')
if state.err then
	return {'wrong', 0, '', ''}
end
if state[1] and state[1] ~= '3' then
	return {'version', 0, '', ''}
end
if taken(state[6], ARGV[3]) then
	return {'again', 0, state[6], ''}
end
-- 1 checked, 2 quota, 3 pass over a limit, 4 forget spf, 5 TTL, 6..9 amounts, 10..19 limits, 20..36 counts, 37 how many
-- words the habits are
local p = {struct.unpack('<ddddddddddddddddddddddddddddddddddddd', ARGV[1])}
local use = read_use(state[2], state[3])
local before = use[1]
roll(use)
local quota = p[2] == 1
local over = quota and over_limit(use, p, 5, 9) or 0
local turned_away = over > 0 and p[1] == 1 and p[3] == 0
if turned_away then
	for i = 1, #ARGV[6], 16 do
		local counter, count = struct.unpack('<dd', ARGV[6], i)
		p[19 + counter] = count
	end
elseif quota then
	add(use, p, 5)
end
-- the counters, decayed to now; they were last brought forward when the windows were
local c, signs_before = state[4], state[5]
local value = {0, 0, 0, 0, 0}
if c and #c == 4 * REP then
	value = {struct.unpack('<fffff', c)}
end
if signs_before and #signs_before == 4 * (COUNTERS - REP) then
	signs_before = {struct.unpack('<ffffffffffff', signs_before)}
	for i = 1, COUNTERS - REP do
		value[REP + i] = signs_before[i]
	end
else
	for i = REP + 1, COUNTERS do
		value[i] = 0
	end
end
local passed = before > 0 and (use[1] - before) / 1000 or 0
local signs, life, left = false, 0, 1
for i = 1, COUNTERS do
	local n, more = value[i], p[19 + i]
	if n > 0 or more ~= 0 then
		if HALF_LIFE[i] ~= life then
			life = HALF_LIFE[i]
			left = 2 ^ (-passed / life)
		end
		n = (n > 0 and n < 1e15) and n * left + more or more
		value[i] = n > CAP[i] and CAP[i] or n > 0 and n or 0
		signs = signs or i > REP
	else
		value[i] = 0
	end
end
local m, r = write_use(use)
local fields = {'m', m, 'r', r, ARGV[2], ARGV[3], 'c', struct.pack('<fffff', unpack(value, 1, REP))}
local n = 8
local function set(field, to)
	fields[n + 1], fields[n + 2] = field, to
	n = n + 2
end
if signs then
	set('s', struct.pack('<ffffffffffff', unpack(value, REP + 1, COUNTERS)))
end
if not state[1] then
	set('v', '3')
end
if not state[8] then
	set('first', time[1])
end
if ARGV[4] ~= '' and ARGV[4] ~= state[7] then
	set('level', ARGV[4])
	set('since', time[1])
end
for i = turned_away and 7 + p[37] or 7, #ARGV, 2 do
	set(ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], unpack(fields))
if p[4] == 1 then
	redis.call('HDEL', KEYS[1], 'spf')
end
if ARGV[5] ~= '' and not turned_away then
	know(KEYS[2], ARGV[5])
end
-- once a day is enough: it is a day longer than asked for
if before == 0 or p[5] < 172800 or math.floor(before / 86400000) ~= math.floor(use[1] / 86400000) then
	redis.call('EXPIRE', KEYS[1], p[5] + 86400)
	redis.call('EXPIRE', KEYS[2], p[5] + 86400)
elseif ARGV[5] ~= '' then
	redis.call('EXPIRE', KEYS[2], p[5] + 86400)
end
return {turned_away and 'over' or 'charged', over, m, r}
