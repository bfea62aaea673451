/** What every script begins with: the standing of the store, its clock, and how a record is loaded, saved and found again. */
import type { FieldName } from './fields.ts';
import { CODED, FIELDS } from './fields.ts';

/** Bytes of arguments or a result that stand in the record itself, at most. */
const LONG = 1_024;

/** Times that are kept as what has passed since the record was made: a short number. */
const SINCE: readonly FieldName[] = ['deadline_at', 'sent_at', 'ended_at', 'expires_at'];

const TOLD = FIELDS.slice(0, -2).map((name) => `r.${name} or false`);
const PACKED = FIELDS.map((name) => {
  if (name in CODED) return `codes.${name}[r.${name}]`;
  return SINCE.includes(name) ? `r.${name} and r.${name} - r.created_at` : `r.${name}`;
});
const UNPACKED = FIELDS.map((name, at) => {
  if (name in CODED) return `${name} = words.${name}[f[${at + 1}]] or error('${name}')`;
  const since = SINCE.includes(name) ? ` and f[${at + 1}] + f[${FIELDS.indexOf('created_at') + 1}]` : '';
  return `${name} = f[${at + 1}]${since} or nil`;
});
const WORDS = Object.entries(CODED).map(
  ([name, words]) => `${name} = { ${words.map((word) => `'${word}'`).join(', ')} }`,
);
const CODES = Object.entries(CODED).map(
  ([name, words]) => `${name} = { ${words.map((word, at) => `['${word}'] = ${at + 1}`).join(', ')} }`,
);

/**
 * Arguments: KEYS[1] is the store's head; ARGV[1..3] is what this process has seen of the store (epoch, generation, writes),
 * ARGV[4] the time where a test has a clock of its own. A script's own arguments follow; optional ones begin with `=`.
 *
 * The head counts writes. A store that has lost some is behind what a process has seen, in the generation (start of the server)
 * in which it saw it, and changes nothing any more for that process.
 */
export const PRELUDE: string = `
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

-- An argument that is a number: all are kept whole.
local function number(index)
  local given = tonumber(ARGV[index])
  return given and math.floor(given + 0.5)
end

local now = number(4)
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

local function key_of(id) return base .. ':op:' .. id end
local function corrupt(id) error({ err = 'CORRUPT ' .. id }) end

local words, codes = { ${WORDS.join(', ')} }, { ${CODES.join(', ')} }
local function pack(r)
  return cmsgpack.pack({ ${PACKED.map((value) => `${value} or false`).join(', ')} })
end
local function unpacked(kept)
  local f = cmsgpack.unpack(kept)
  if #f ~= ${FIELDS.length} then error('length') end
  return { ${UNPACKED.join(', ')} }
end

local function load(id)
  local kept = redis.pcall('GET', key_of(id))
  if not kept then return nil end
  if type(kept) == 'table' and string.sub(kept.err, 1, 9) ~= 'WRONGTYPE' then error(kept) end
  local is_record, record = pcall(unpacked, kept)
  if not is_record then corrupt(id) end
  return record
end

-- A record that a set names.
local function listed(id) return load(id) or corrupt(id) end

-- A long text stands under a key of its own, and its length in its place: not every step writes it again.
local function place_of(field, id) return base .. ':' .. field .. ':' .. id end
local function read(id, record, field)
  local value = record[field]
  if type(value) ~= 'number' then return value end
  return redis.call('GET', place_of(field, id)) or corrupt(id)
end

local function told(id, r)
  local arguments, result = read(id, r, 'arguments'), read(id, r, 'result')
  return { id, ${TOLD.join(', ')}, arguments or false, result or false }
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
    if record.contradicted == 1 then found.contradicted = record.seq end
    if record.quarantine and (is_open(record) or record.state == 'in_doubt') then
      found['quarantine:' .. record.quarantine] = record.seq
    end
  end
  if record.lease_until ~= 0 then
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

-- Writes what changes says; false stands for a field that goes. Without a record, changes are a new one.
local function save(id, record, changes)
  has_written = true
  local before, r = places(record), record or {}
  for field, value in pairs(changes) do
    if (field == 'arguments' or field == 'result') and value ~= r[field] then
      if type(r[field]) == 'number' then redis.call('DEL', place_of(field, id)) end
      if value and #value > ${LONG} then
        redis.call('SET', place_of(field, id), value)
        value = #value
      end
    end
    r[field] = value or nil
  end
  redis.call('SET', key_of(id), pack(r))
  move(id, before, places(r))
end

local function forget(id, record)
  has_written = true
  move(id, places(record), {})
  redis.call('DEL', key_of(id), place_of('arguments', id), place_of('result', id), base .. ':audit:' .. id)
end

-- A lease is four arguments: operation, fence, token, and the record's number where it is known.
local function leased(at)
  local record = load(ARGV[at])
  if record == nil or record.tombstone then return nil end
  local seq = optional(at + 3)
  if seq and tonumber(seq) ~= record.seq then return nil end
  if record.fence ~= number(at + 1) then return nil end
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
    state = state, result = result or false, outcome = outcome or false, owner = '', lease_until = 0, ended_at = now,
    expires_at = state ~= 'in_doubt' and now + record.retention,
  }
end
`;
