-- SPDX-License-Identifier: BSD-2-Clause
-- What one message needs to know of its account.
-- KEYS: limits, block, exempt, state
-- Answer: wrong, block, exempt, level, since, first, use (msgs and rcpts in one), rep, version, score, spf, then the
-- fields and values of limits.
-- `wrong` names the keys that hold another type than they should, by their parts, with + between.
local wrong = ''
local function ask(part, command, ...)
	local answer = redis.pcall(command, ...)
	if type(answer) == 'table' and answer.err then
		wrong = wrong .. (wrong == '' and '' or '+') .. part
		return nil
	end
	return answer
end
local block = ask('block', 'GET', KEYS[2])
local exempt = ask('exempt', 'GET', KEYS[3])
local state = ask('state', 'HMGET', KEYS[4], 'level', 'since', 'first', 'msgs', 'rep', 'v', 'score', 'spf', 'rcpts') or {}
local limits = ask('limits', 'HGETALL', KEYS[1]) or {}
if state[4] then
	state[4] = state[4] .. ' ' .. (state[9] or '')
end
local answer = {wrong, block or '', exempt or ''}
for i = 1, 8 do
	answer[#answer + 1] = state[i] or ''
end
for i = 1, math.min(#limits, 64) do
	answer[#answer + 1] = limits[i]
end
return answer
