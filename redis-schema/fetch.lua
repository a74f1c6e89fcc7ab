-- SPDX-License-Identifier: BSD-2-Clause
-- What one message needs to know of its account.
-- KEYS: limits, block, exempt, state, known
-- Answer: wrong, block, exempt, known recipients, the fields of state as below, then the fields and values of
-- limits. What is not there is nil.
-- `wrong` names the keys that hold another type than they should, by their parts, with + between.
local wrong = ''
local function ask(part, command, ...)
	local answer = redis.pcall(command, ...)
	if type(answer) == 'table' and answer.err then
		wrong = wrong .. (wrong == '' and '' or '+') .. part
		return false
	end
	return answer
end
local block = ask('block', 'GET', KEYS[2])
local exempt = ask('exempt', 'GET', KEYS[3])
local state = ask('state', 'HMGET', KEYS[4], 'v', 'level', 'since', 'first', 'score', 'spf', 'm', 'r', 'c', 's', 'pardon',
	'h', 'w', 'k') or {}
local limits = ask('limits', 'HGETALL', KEYS[1]) or {}
local answer = {'', block, exempt, false, unpack(state, 1, 14)}
for i = #state + 1, 14 do
	answer[4 + i] = false
end
for i = 1, math.min(#limits, 66) do
	answer[18 + i] = limits[i]
end
-- more recipients than the state holds
if state[14] == '*' then
	answer[4] = ask('known', 'GET', KEYS[5])
end
answer[1] = wrong
return answer
