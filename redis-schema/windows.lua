-- SPDX-License-Identifier: BSD-2-Clause
-- What charge.lua and group.lua share; the build puts it before each of them.
-- `use` has 21 numbers: the time (ms), then present and before of each sum: messages, recipients and KiB a minute, an
-- hour and a day, first-time recipients a day. They stand in two fields, as MessagePack: a listpack takes strings of up
-- to 64 bytes, and a hash table would cost an account twice the memory. `m` has the time, messages and first-time
-- recipients, `r` recipients and KiB.
local LENGTH = {60000, 3600000, 86400000}
local SPAN = {1, 2, 3, 1, 2, 3, 1, 2, 3, 3} -- index into LENGTH
local KIND = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4} -- index into the amounts
local time = redis.call('TIME')
local now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000

-- Raises an error where it is no such thing, for pcall.
local function unpack_use(m, r)
	local at, a, b, c, d, e, f, new, new_before = cmsgpack.unpack(m)
	local use = {at, a, b, c, d, e, f, cmsgpack.unpack(r)}
	use[20], use[21] = new, new_before
	for i = 1, 21 do
		if not (use[i] >= 0 and use[i] < 1e15 and use[i] % 1 == 0) then
			error('')
		end
	end
	return use
end

-- What stands there may be anything: numbers that are none count as nothing, and a time far ahead is of a clock that
-- was wrong.
local function read_use(m, r)
	local fine, use = false, nil
	if m then
		fine, use = pcall(unpack_use, m, r)
	end
	if not fine or use[1] > now + 7200000 then
		return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	end
	return use
end

-- Brings the counts forward to now; a clock that went back changes nothing.
local function roll(use)
	local before = use[1]
	if now <= before then
		return
	end
	use[1] = now
	for span = 1, 3 do
		local passed = math.floor(now / LENGTH[span]) - math.floor(before / LENGTH[span])
		if passed == 0 then -- nor has any longer one
			return
		end
		for i = 1, 10 do
			if SPAN[i] == span then
				use[2 * i + 1] = passed == 1 and use[2 * i] or 0
				use[2 * i] = 0
			end
		end
	end
end

-- The first sum that the amounts p[a + 1]... would pass, of the limits p[l + 1]... (-1: none); 0: there is room.
local function over_limit(use, p, a, l)
	local at = use[1]
	for i = 1, 10 do
		local limit, amount = p[l + i], p[a + KIND[i]]
		if limit >= 0 and amount > 0 and use[2 * i] + use[2 * i + 1] + amount > limit then
			local length = LENGTH[SPAN[i]]
			if use[2 * i] + use[2 * i + 1] * (1 - at % length / length) + amount > limit then
				return i
			end
		end
	end
	return 0
end

local function add(use, p, a)
	for i = 1, 10 do
		local sum = use[2 * i] + p[a + KIND[i]]
		use[2 * i] = sum > 0 and sum or 0
	end
end

-- The two fields as they are written: of 49 and 60 bytes at most.
local function write_use(use)
	return cmsgpack.pack(use[1], use[2], use[3], use[4], use[5], use[6], use[7], use[20], use[21]),
		cmsgpack.pack(unpack(use, 8, 19))
end
-- numbers are microseconds of the daemon's start, counted up: one far ahead is somebody's slip, and what the daemon
-- could not read is none
local function taken(last, number)
	last = last and #last <= 18 and string.match(last, '^%d+$') and tonumber(last)
	return last and last >= number + 0 and last < now * 1000 + 86400000000
end
