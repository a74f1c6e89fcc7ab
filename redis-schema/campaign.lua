-- SPDX-License-Identifier: BSD-2-Clause
-- What is known of messages with (nearly) this body; and this one is noted. A bucket of fingerprints is a hash whose number
-- of fields is bounded: a flood of fingerprints pushes fingerprints out, and no more.
-- KEYS: campaign bucket
-- ARGV: 1 the fingerprint, 2 a hash of the account, 0 to 63, 3 1: it counts as bad
-- Answer: messages and bad ones (decayed, half-life six hours), accounts that sent them within this quarter of the day
--   and the one before, about, and accounts that sent bad ones; without this message
-- Unix time, messages, bad; accounts of this quarter and of the one before, bad ones of both: bits
local FORMAT, BYTES = '<IffIIIIII', 36
local HALF_LIFE, PERIOD, MOST = 21600, 21600, 64
local now = tonumber(redis.call('TIME')[1])
local function decayed(value, at)
	return now > at and value * 2 ^ ((at - now) / HALF_LIFE) or value
end
local function bits(word)
	local n = 0
	while word ~= 0 do
		word = bit.band(word, word - 1)
		n = n + 1
	end
	return n
end
local held = redis.pcall('HGET', KEYS[1], ARGV[1])
if type(held) == 'table' then
	return {'0', '0', '0', '0'}
end
local at, messages, bad, a, b, c, d, e, f = now, 0, 0, 0, 0, 0, 0, 0, 0
if held and #held == BYTES then
	at, messages, bad, a, b, c, d, e, f = struct.unpack(FORMAT, held)
	messages, bad = decayed(messages, at), decayed(bad, at)
	local passed = math.floor(now / PERIOD) - math.floor(at / PERIOD)
	if passed == 1 then
		a, b, c, d, e, f = 0, 0, a, b, 0, e
	elseif passed > 1 then
		a, b, c, d, e, f = 0, 0, 0, 0, 0, 0
	end
elseif redis.call('HLEN', KEYS[1]) >= MOST then
	-- of three, the one with the fewest messages left gives way
	local some, least, loser = redis.call('HRANDFIELD', KEYS[1], 3, 'WITHVALUES'), math.huge, nil
	for i = 1, #some, 2 do
		local left = #some[i + 1] == BYTES and decayed(select(2, struct.unpack(FORMAT, some[i + 1])),
			(struct.unpack(FORMAT, some[i + 1]))) or 0
		if left < least then
			least, loser = left, some[i]
		end
	end
	redis.call('HDEL', KEYS[1], loser)
end
-- linear counting
local function count(set, of)
	local clear = of - set
	return -of * math.log((clear > 0 and clear or 0.5) / of)
end
local accounts = count(bits(bit.bor(a, c)) + bits(bit.bor(b, d)), 64)
local bad_accounts = count(bits(bit.bor(e, f)), 32)
local account = tonumber(ARGV[2])
local function with(word, n)
	return bit.bor(word, bit.lshift(1, n)) % 4294967296
end
if account < 32 then
	a = with(a, account)
else
	b = with(b, account - 32)
end
if ARGV[3] == '1' then
	e = with(e, account % 32)
end
redis.call('HSET', KEYS[1], ARGV[1], struct.pack(FORMAT, math.max(now, at), messages + 1, bad + ARGV[3], a, b, c, d, e, f))
if not held or math.floor(now / 3600) ~= math.floor(at / 3600) then
	redis.call('EXPIRE', KEYS[1], 172800)
end
return {string.format('%.6g', messages), string.format('%.6g', bad), string.format('%.6g', accounts),
	string.format('%.6g', bad_accounts)}
