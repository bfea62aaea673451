/** What others than the holder of a lease do: resolve, sweep, purge. */

/** Arguments: the operation, the state of the verdict, result and outcome, who, and the audit line's text. */
export const RESOLVE = `
local id, state, result, outcome, by, line = ARGV[5], ARGV[6], optional(7), optional(8), ARGV[9], ARGV[10]
local record = load(id)
if record == nil or record.tombstone then return answer('not_found') end
local function audit(action)
  has_written = true
  redis.call('RPUSH', base .. ':audit:' .. id, text(now) .. ' ' .. action .. ' ' .. line)
end
local is_late_answer = by == 'late-answer'
if record.state == 'in_doubt' or (record.state == 'sent' and is_late_answer) then
  local changes = ending(record, state, result, outcome)
  changes.resolved_by = by
  save(id, record, changes)
  audit('resolved')
  return answer('resolved', told(id, record))
end
if is_open(record) then return answer('not_in_doubt', told(id, record)) end
if record.state == state and (state ~= 'completed' or read(id, record, 'result') == result) then return answer('already', told(id, record)) end
if not is_late_answer then return answer('not_in_doubt', told(id, record)) end
if record.contradicted == 0 then
  save(id, record, { contradicted = 1 })
  audit('contradicted')
end
return answer('contradicted', told(id, record))
`;

/** How long what cannot be read is left to people before it is told again, ms. */
const PATIENCE_MS = 60_000;

/** Does something with each record whose turn has come; one that is damaged keeps nobody from the others. Gives those that are. */
const EACH = `
local function each(place, due, limit, work)
  local damaged = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':' .. place, '-inf', due, 'LIMIT', 0, limit)) do
    local is_whole, problem = pcall(work, id)
    if not is_whole then
      local words = type(problem) == 'table' and problem.err or problem -- Redis 7.0 gives the text alone
      if string.sub(words, 1, 8) ~= 'CORRUPT ' then error(problem) end
      has_written = true
      redis.call('ZADD', base .. ':' .. place, 'XX', now + ${PATIENCE_MS}, id)
      damaged[#damaged + 1] = id
    end
  end
  return damaged
end
`;

/** Arguments: the limit, the server whose operations may be run, the outcome of what is lost. */
export const SWEEP: string = `${EACH}
local limit, server, lost = number(5), optional(6), ARGV[7]
local swept = {}
local damaged = each('run_out', now, limit, function(id)
  local record = listed(id)
  if record.state == 'sent' and record.mode == 'at-most-once' then
    save(id, record, ending(record, 'in_doubt', nil, lost))
    swept[#swept + 1] = { 'in_doubt', told(id, record) }
  else
    -- What was sent and may be sent again has not ended; what was only claimed has.
    local has_ended = record.state == 'claimed'
    save(id, record, {
      lease_until = 0, ended_at = has_ended and now,
      expires_at = has_ended and now + record.retention,
    })
    swept[#swept + 1] = { 'released', told(id, record) }
  end
end)
-- Last, for they come back with each sweep until somebody runs them, and must not keep it from the others.
for _, id in ipairs(each('runnable' .. (server and ':' .. server or ''), now, limit - #swept, function(id)
  swept[#swept + 1] = { 'runnable', told(id, listed(id)) }
end)) do damaged[#damaged + 1] = id end
return answer(swept, damaged)
`;

/** Arguments: the instant, the limit. */
export const PURGE: string = `${EACH}
local purged = 0
local damaged = each('expiry', ARGV[5], number(6), function(id)
  local record = listed(id)
  if record.tombstone or record.key == nil or record.state == 'claimed' then
    forget(id, record)
  else
    local changes = { tombstone = 1, expires_at = record.expires_at + 10 * record.retention }
    for _, field in ipairs({ 'scope', 'server', 'tool', 'key', 'request', 'arguments', 'outcome', 'result', 'quarantine' }) do
      changes[field] = false
    end
    save(id, record, changes)
  end
  purged = purged + 1
end)
return answer(purged, damaged)
`;
