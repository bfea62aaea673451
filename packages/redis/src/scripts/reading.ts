/** What operators and lookups read. They change nothing, but are scripts as well: a store that has lost writes is not read. */

/** Arguments: the operation. */
export const FIND = `
local record = load(ARGV[5])
if record == nil or record.tombstone then return answer() end
return answer(flat(ARGV[5], record))
`;

/** Arguments: the operation. */
export const AUDIT = `
return answer(redis.call('LRANGE', base .. ':audit:' .. ARGV[5], 0, -1))
`;

/** How many there are of each state given, and of the contradicted ones: only for all of them together, but at once. */
export const COUNT = `
local counts = {}
for at = 5, #ARGV do counts[#counts + 1] = redis.call('ZCARD', base .. ':state:' .. ARGV[at]) end
return answer(counts, redis.call('ZCARD', base .. ':contradicted'))
`;

/**
 * Looks through at most so many records, newest first, and tells where it stopped. Arguments: the number below which to
 * begin, how many to look at, how many to tell (`count` to tell only counts), filters by scope, server, tool and
 * contradicted, then the sets to look in.
 */
export const WALK = `
local below, budget, wanted = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local scope, server, tool, contradicted = optional(8), optional(9), optional(10), optional(11)
local found = {}
for at = 12, #ARGV do
  local flat_scores = redis.call('ZREVRANGEBYSCORE', base .. ':' .. ARGV[at], below, '-inf', 'WITHSCORES', 'LIMIT', 0, budget)
  for i = 1, #flat_scores, 2 do found[#found + 1] = { id = flat_scores[i], seq = tonumber(flat_scores[i + 1]) } end
end
table.sort(found, function(one, other) return one.seq > other.seq end)

local function matches(fields)
  return (scope == nil or scope == fields[1]) and (server == nil or server == fields[2])
    and (tool == nil or tool == fields[3]) and (contradicted == nil or contradicted == fields[4])
end

local told, counts, last = {}, {}, 0
for i, entry in ipairs(found) do
  if i > budget or (wanted ~= 'count' and #told >= tonumber(wanted)) then break end
  last = i
  local fields = redis.call('HMGET', base .. ':op:' .. entry.id, 'scope', 'server', 'tool', 'contradicted', 'state')
  if matches(fields) then
    if wanted == 'count' then
      local name = fields[5] .. ' ' .. fields[4]
      counts[name] = (counts[name] or 0) + 1
    else
      told[#told + 1] = flat(entry.id, load(entry.id))
    end
  end
end
local has_more = last > 0 and (last < #found or #found >= budget)
if wanted == 'count' then
  for name, count in pairs(counts) do
    told[#told + 1] = name
    told[#told + 1] = text(count)
  end
end
return answer(told, has_more and '(' .. text(found[last].seq) or '')
`;
