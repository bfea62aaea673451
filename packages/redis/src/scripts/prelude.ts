/** What every script begins with: the standing of the store, its clock, and how a record is loaded, saved and found again. */

/**
 * Arguments: KEYS[1] is the store's head; ARGV[1..3] is what this process has seen of the store (epoch, generation, writes),
 * ARGV[4] the time where a test has a clock of its own. A script's own arguments follow; optional ones begin with `=`.
 *
 * The head counts writes. A store that has lost some is behind what a process has seen, in the generation (start of the server)
 * in which it saw it, and changes nothing any more for that process.
 */
export const PRELUDE = `
local base = string.sub(KEYS[1], 1, -6)
local head = redis.call('HMGET', KEYS[1], 'epoch', 'generation', 'writes')
if not head[1] then return { 'lost' } end
do
  local generation, seen = tonumber(head[2]), tonumber(ARGV[2])
  local writes = tonumber(head[3])
  if generation > seen then
    writes = tonumber(redis.call('HGET', KEYS[1], 'start:' .. string.format('%.0f', seen + 1)) or 0)
  end
  if head[1] ~= ARGV[1] or generation < seen or writes < tonumber(ARGV[3]) then return { 'lost' } end
end

local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function text(number) return string.format('%.0f', number) end
local function optional(index)
  local given = ARGV[index]
  if given == nil or given == '' then return nil end
  return string.sub(given, 2)
end

local has_written = false
local function answer(...)
  local writes = head[3]
  if has_written then writes = text(redis.call('HINCRBY', KEYS[1], 'writes', 1)) end
  return { 'ok', head[1], head[2], writes, ... }
end

local function load(id)
  local flat = redis.call('HGETALL', base .. ':op:' .. id)
  if #flat == 0 then return nil end
  local record = {}
  for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
  return record
end

local function flat(id, record)
  local told = { 'id', id }
  for field, value in pairs(record) do
    told[#told + 1] = field
    told[#told + 1] = value
  end
  return told
end

local function is_open(record) return record.state == 'claimed' or record.state == 'sent' end
local function is_runnable(record)
  return record.arguments ~= nil and (record.state == 'claimed' or record.mode ~= 'at-most-once')
end

-- The sorted sets that a record stands in, with its score in each.
local function places(record)
  local found = {}
  if record == nil then return found end
  if not record.tombstone then
    found['state:' .. record.state] = record.seq
    if record.contradicted == '1' then found.contradicted = record.seq end
    if record.quarantine and (is_open(record) or record.state == 'in_doubt') then
      found['quarantine:' .. record.quarantine] = record.seq
    end
  end
  if record.lease_until ~= '0' then
    if is_runnable(record) then
      found.runnable = record.lease_until
      found['runnable:' .. record.server] = record.lease_until
    else
      found.run_out = record.lease_until
    end
  end
  if record.expires_at then found.expiry = record.expires_at end
  return found
end

local function move(id, before, after)
  for place, score in pairs(after) do
    if before[place] ~= score then redis.call('ZADD', base .. ':' .. place, score, id) end
    before[place] = nil
  end
  for place in pairs(before) do redis.call('ZREM', base .. ':' .. place, id) end
end

-- Writes what changes says; false stands for a field that goes.
local function save(id, record, changes)
  has_written = true
  local before = places(record)
  local key, set, gone = base .. ':op:' .. id, {}, {}
  for field, value in pairs(changes) do
    if value == false then
      if record[field] ~= nil then gone[#gone + 1] = field end
      record[field] = nil
    elseif record[field] ~= value then
      set[#set + 1] = field
      set[#set + 1] = value
      record[field] = value
    end
  end
  if #set > 0 then redis.call('HSET', key, unpack(set)) end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  move(id, before, places(record))
end

local function create(id, record)
  has_written = true
  local set = {}
  for field, value in pairs(record) do
    set[#set + 1] = field
    set[#set + 1] = value
  end
  redis.call('HSET', base .. ':op:' .. id, unpack(set))
  move(id, {}, places(record))
end

local function forget(id, record)
  has_written = true
  move(id, places(record), {})
  redis.call('DEL', base .. ':op:' .. id, base .. ':audit:' .. id)
end

-- A lease is four arguments: operation, fence, token, and the record's number where it is known.
local function leased(at)
  local record = load(ARGV[at])
  if record == nil or record.tombstone then return nil end
  local seq = optional(at + 3)
  if seq and seq ~= record.seq then return nil end
  if record.fence ~= ARGV[at + 1] then return nil end
  return record
end

local function held(at)
  local record = leased(at)
  if record == nil or not is_open(record) or record.owner ~= ARGV[at + 2] then return nil end
  return record
end

-- How a record changes when it ends so. Doubt never goes by age.
local function ending(record, state, result, outcome)
  return {
    state = state, result = result or false, outcome = outcome or false, owner = '', lease_until = '0', ended_at = text(now),
    expires_at = state ~= 'in_doubt' and text(now + tonumber(record.retention)),
  }
end
`;
