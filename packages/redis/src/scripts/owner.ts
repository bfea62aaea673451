/** What the holder of a lease does with it before the operation ends: each a compare-and-set on fence and token. */

/** Arguments: the lease, its length, the number of the send. */
export const MARK_SENT = `
local id, lease, attempt = ARGV[5], number(9), number(10)
local record = held(5)
if record == nil then return answer(0) end
-- The number that a former owner marked is not ours to mark again.
local is_repeat = record.state == 'sent' and attempt == record.attempts and record.took_over == 0
if not is_repeat and (attempt <= record.attempts or attempt > record.attempt_limit) then return answer(0) end
save(id, record, {
  state = 'sent', attempts = attempt, sent_at = is_repeat and record.sent_at or now, took_over = 0,
  lease_until = now + lease, ended_at = false, expires_at = false,
})
return answer(1)
`;

/** Arguments: of each lease five, its length last. */
export const RENEW = `
local renewed = {}
for at = 5, #ARGV, 5 do
  local record = held(at)
  if record then
    save(ARGV[at], record, { lease_until = now + number(at + 4), ended_at = false, expires_at = false })
  end
  renewed[#renewed + 1] = record and 1 or 0
end
return answer(renewed)
`;

/** Arguments: the lease, its length, the sends that count, `1` to keep the lease. */
export const RELEASE = `
local id, record = ARGV[5], held(5)
if record == nil then
  local other = leased(5)
  return answer(other and other.state == 'claimed' and other.lease_until == 0 and 1 or 0)
end
local changes = { state = 'claimed', attempts = number(10), took_over = 0, ended_at = false, expires_at = false }
if ARGV[11] == '1' then
  changes.lease_until = now + number(9)
else
  changes.lease_until, changes.owner = 0, ''
  changes.ended_at, changes.expires_at = now, now + record.retention
end
save(id, record, changes)
return answer(1)
`;

/** Arguments: the lease, the state that it ends in, result and outcome. */
export const SETTLE = `
local id, state, result, outcome = ARGV[5], ARGV[9], optional(10), optional(11)
local record = leased(5)
if record == nil then return answer(0) end
if not is_open(record) then
  return answer(record.state == state and read(id, record, 'result') == result and record.outcome == outcome and 1 or 0)
end
-- What was never sent can only fail.
if record.owner ~= ARGV[7] or (record.state == 'claimed' and state ~= 'failed') then return answer(0) end
save(id, record, ending(record, state, result, outcome))
return answer(1)
`;
