-- SPDX-License-Identifier: BSD-2-Clause
-- Checks one message against all limits and charges all of them, or none. What policy/history.c does.
-- KEYS: state, known
-- ARGV: 1 packed doubles (see script_charge_arguments), 2 'n:NODE', 3 its number, 4 level ('': leave it), 5 digest
--   of four bytes ('': none), 6 recipients for the map (two bytes each), then fields and values that are set as they are
-- Answer: status ('charged', 'over', 'retried', 'again', 'newer', 'wrong'), index of the limit passed (0: none), m
--   ('again': the last number taken), r
local LIST, MAP = 4096, 8192 -- bytes
-- Known recipients: a list of their hashes, two bytes each, and once that is long a map, a bit for each hash.
local function know(key, hashes)
	local length = redis.pcall('STRLEN', key)
	if type(length) ~= 'number' then
		return -- another type; fetch.lua names it
	end
	if length ~= MAP and (length > LIST or length % 2 == 1) then
		redis.call('DEL', key) -- neither of them
		length = 0
	end
	if length ~= MAP then
		hashes = (redis.call('GET', key) or '') .. hashes
		if #hashes <= LIST then
			redis.call('SET', key, hashes) -- APPEND would take twice the room
			return
		end
		redis.call('DEL', key)
		redis.call('SETBIT', key, 8 * MAP - 1, 0)
	end
	for i = 1, #hashes, 2 do
		local high, low = string.byte(hashes, i, i + 1)
		redis.call('SETBIT', key, high * 256 + low, 1)
	end
end
local HALF_LIFE = {604800, 604800, 604800, 172800, 86400, 604800, 604800, 1209600, 3600, 1209600, 43200, 86400, 86400, 86400, 21600, 43200, 86400}
local CAP = {1000000000, 1000000000, 1000000000, 1000, 1000, 1000000000, 1000000, 1000000, 1000, 1000, 12, 6, 6, 6, 6, 6, 12}
local REP, COUNTERS = 5, 17
local state = redis.pcall('HMGET', KEYS[1], 'v', 'm', 'r', 'c', 's', ARGV[2], 'level', 'first')
if state.err then
	return {'wrong', 0, '', ''}
end
local version = state[1]
if version and version ~= '2' and version ~= '1' then
	return {'newer', 0, '', ''}
end
if taken(state[6], ARGV[3]) then
	return {'again', 0, state[6], ''}
end
if version == '1' then
	state[2], state[3], state[4] = unpack(redis.call('HMGET', KEYS[1], 'msgs', 'rcpts', 'rep'))
end
-- 1 checked, 2 quota, 3 pass over a limit, 4 forget spf, 5 TTL, 6..9 amounts, 10..19 limits, 20..36 counts
local p = {struct.unpack('<dddddddddddddddddddddddddddddddddddd', ARGV[1])}
local use = read_use(version, state[2], state[3])
local before = use[1]
roll(use)
-- counters, and behind them the digests
local c, digest = state[4] or '', ARGV[5]
local packed = version ~= '1' and #c >= 4 * REP and #c % 4 == 0
local last = packed and string.sub(c, 4 * REP + 1, 4 * REP + 12) or ''
local back, noted = p[6] < 0, nil
for i = 1, digest ~= '' and #last or 0, 4 do
	if string.sub(last, i, i + 3) == digest then
		noted = i
	end
end
if noted and back then
	last = string.sub(last, 1, noted - 1) .. string.sub(last, noted + 4)
elseif noted then
	redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
	return {'retried', 0, write_use(use)}
end
local quota = p[2] == 1
local over = quota and over_limit(use, p, 5, 9) or 0
local turned_away = over > 0 and p[1] == 1 and p[3] == 0
if quota and not turned_away then
	add(use, p, 5)
	if digest ~= '' and not back then
		last = digest .. string.sub(last, 1, 8)
	end
end
-- the counters, decayed to now; they were last brought forward when the windows were
local value, signs_before = nil, state[5]
if packed then
	value = {struct.unpack('<fffff', c)}
else
	value = {string.match(c, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')}
	for i = 1, REP do
		value[i] = value[i] and tonumber(value[i]) or 0
	end
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
	-- a message that is turned away here did not leave; it is a breach
	if turned_away then
		more = i == 5 and 1 or (i == 1 or i == 2 or i == 6) and 0 or more
	end
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
local fields = {'m', m, 'r', r, ARGV[2], ARGV[3], 'c', struct.pack('<fffff', unpack(value, 1, REP)) .. last}
local n = 8
local function set(field, to)
	fields[n + 1], fields[n + 2] = field, to
	n = n + 2
end
if signs then
	set('s', struct.pack('<ffffffffffff', unpack(value, REP + 1, COUNTERS)))
end
if version ~= '2' then
	set('v', '2')
end
if not state[8] then
	set('first', time[1])
end
if ARGV[4] ~= '' and ARGV[4] ~= state[7] then
	set('level', ARGV[4])
	set('since', time[1])
end
for i = 7, #ARGV do
	fields[n + i - 6] = ARGV[i]
end
redis.call('HSET', KEYS[1], unpack(fields))
if version == '1' then
	redis.call('HDEL', KEYS[1], 'msgs', 'rcpts', 'rep')
end
if p[4] == 1 then
	redis.call('HDEL', KEYS[1], 'spf')
end
if ARGV[6] ~= '' then
	know(KEYS[2], ARGV[6])
end
-- once a day is enough: it is a day longer than asked for
if before == 0 or p[5] < 172800 or math.floor(before / 86400000) ~= math.floor(use[1] / 86400000) then
	redis.call('EXPIRE', KEYS[1], p[5] + 86400)
	redis.call('EXPIRE', KEYS[2], p[5] + 86400)
elseif ARGV[6] ~= '' then
	redis.call('EXPIRE', KEYS[2], p[5] + 86400)
end
return {turned_away and 'over' or 'charged', over, m, r}
