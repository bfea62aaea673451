/** Decides who may drive an operation. The order of the questions is the contract's. */

/** Arguments: the operation, then what {@link claimArguments} of the ledger writes, in the order of `request`. */
export const CLAIM = `
local id = ARGV[5]
local request = {
  digest = ARGV[6], scope = ARGV[7], server = ARGV[8], tool = ARGV[9], request = ARGV[10], owner = ARGV[11], state = ARGV[12],
  mode = ARGV[13], lease = number(14), attempts = number(15), deadline = number(16), window = number(17),
  retention = number(18), key = optional(19), fingerprint = optional(20), arguments = optional(21),
  quarantine = optional(22), quarantine_window = number(23), repeat_of = optional(24),
}
local is_sent = request.state == 'sent'

local function grant(record, taken_over)
  return answer('claimed', record.fence, record.attempts, record.attempt_limit, record.seq, taken_over)
end

-- An earlier operation that this one may be repeating.
local function repeated()
  if request.key or not request.quarantine then return nil end
  local first
  for _, other in ipairs(redis.call('ZRANGE', base .. ':quarantine:' .. request.quarantine, 0, -1)) do
    local found = listed(other)
    local may_have_run = found.state == 'in_doubt' or (found.state == 'sent' and found.deadline_at <= now)
    if may_have_run and found.sent_at and now - found.sent_at < request.quarantine_window then
      if other == request.repeat_of then return nil end
      first = first or other
    end
  end
  return first
end

local function claim_new()
  local earlier = repeated()
  if earlier then return answer('repeat', earlier) end
  local record = {
    digest = request.digest, scope = request.scope, server = request.server, tool = request.tool, key = request.key,
    fingerprint = request.fingerprint, arguments = request.arguments, quarantine = request.quarantine,
    request = request.request, owner = request.owner, state = request.state, mode = request.mode,
    attempts = is_sent and 1 or 0, attempt_limit = request.attempts, fence = 1, took_over = 0,
    lease_until = now + request.lease, deadline_at = now + request.deadline, settle_window = request.window,
    retention = request.retention, created_at = now, sent_at = is_sent and now or nil, contradicted = 0,
    seq = redis.call('HINCRBY', KEYS[1], 'sequence', 1),
  }
  save(id, nil, record)
  return grant(record)
end

local function send(record, changes)
  changes.state, changes.attempts, changes.sent_at = 'sent', record.attempts + 1, now
end

-- The same owner asks again because its first answer was lost: it gets the same one.
local function claim_again(record)
  local taken_over = record.took_over == 1 and told(id, record) or nil
  local changes = { lease_until = now + request.lease, ended_at = false, expires_at = false }
  local may_send = record.state == 'claimed' and record.attempts < record.attempt_limit
  if is_sent and may_send and not taken_over then send(record, changes) end
  save(id, record, changes)
  return grant(record, taken_over)
end

local function owning(record)
  return {
    request = request.request, owner = request.owner, fence = record.fence + 1,
    lease_until = now + request.lease, deadline_at = now + request.deadline, retention = request.retention,
    arguments = record.arguments or request.arguments, fingerprint = record.fingerprint or request.fingerprint,
    ended_at = false, expires_at = false,
  }
end

-- It was given back, or a sweep let go of it: nothing ran, and everything counts from here.
local function claim_afresh(record)
  local changes = owning(record)
  changes.mode, changes.settle_window, changes.took_over = request.mode, request.window, 0
  changes.attempt_limit = record.attempts + request.attempts
  if is_sent then send(record, changes) end
  save(id, record, changes)
  return grant(record)
end

-- The former owner is gone. What it may have sent stands: its state, its attempts and their limit, the stricter mode.
local function take_over(record)
  local left = told(id, record)
  local changes = owning(record)
  if record.state == 'claimed' or request.mode == 'at-most-once' then changes.mode = request.mode end
  changes.settle_window = math.max(record.settle_window, request.window)
  changes.took_over = 1
  save(id, record, changes)
  return grant(record, left)
end

local record = load(id)
if record == nil then return claim_new() end
if record.digest ~= request.digest then return answer('conflict') end

local expires_at = record.expires_at
local is_over = record.tombstone
if (record.state == 'completed' or record.state == 'failed') and expires_at and expires_at <= now then is_over = true end
if is_over then
  local is_forgotten = expires_at and expires_at <= now
  if not record.tombstone then
    is_forgotten = record.key == nil or expires_at + 10 * record.retention <= now
  end
  if not is_forgotten then return answer('expired') end
  local earlier = repeated()
  if earlier then return answer('repeat', earlier) end
  forget(id, record)
  return claim_new()
end

if record.tool ~= request.tool then return answer('conflict') end
if record.fingerprint and request.fingerprint and record.fingerprint ~= request.fingerprint then return answer('conflict') end
if record.state == 'in_doubt' then return answer('in_doubt', told(id, record)) end
if not is_open(record) then return answer('replay', told(id, record)) end
if record.owner == request.owner then return claim_again(record) end
local lease_until = record.lease_until
if lease_until > now then return answer('busy', lease_until - now, told(id, record)) end
if record.state == 'claimed' and lease_until == 0 then return claim_afresh(record) end
return take_over(record)
`;
