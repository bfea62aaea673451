/** What operators and lookups read. They change nothing, but are scripts as well: a store that has lost writes is not read. */

/** Arguments: the operation. */
export const FIND = `
local record = load(ARGV[5])
if record == nil or record.tombstone then return answer() end
return answer(told(ARGV[5], record))
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
local below, budget, wanted = ARGV[5], number(6), ARGV[7]
local scope, server, tool, contradicted = optional(8), optional(9), optional(10), tonumber(optional(11))
local found = {}
for at = 12, #ARGV do
  local flat_scores = redis.call('ZREVRANGEBYSCORE', base .. ':' .. ARGV[at], below, '-inf', 'WITHSCORES', 'LIMIT', 0, budget)
  for i = 1, #flat_scores, 2 do found[#found + 1] = { id = flat_scores[i], seq = tonumber(flat_scores[i + 1]) } end
end
table.sort(found, function(one, other) return one.seq > other.seq end)

local function matches(record)
  return (scope == nil or scope == record.scope) and (server == nil or server == record.server)
    and (tool == nil or tool == record.tool) and (contradicted == nil or contradicted == record.contradicted)
end

local page, counts, last = {}, {}, 0
for i, entry in ipairs(found) do
  if i > budget or (wanted ~= 'count' and #page >= tonumber(wanted)) then break end
  last = i
  local record = listed(entry.id)
  if matches(record) then
    if wanted == 'count' then
      local name = record.state .. ' ' .. record.contradicted
      counts[name] = (counts[name] or 0) + 1
    else
      page[#page + 1] = told(entry.id, record)
    end
  end
end
local has_more = last > 0 and (last < #found or #found >= budget)
if wanted == 'count' then
  for name, count in pairs(counts) do
    page[#page + 1] = name
    page[#page + 1] = text(count)
  end
end
return answer(page, has_more and '(' .. text(found[last].seq) or '')
`;
