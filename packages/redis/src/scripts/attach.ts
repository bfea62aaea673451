/** Meets a store: makes its head where there is none, and notes each start of the server that somebody comes upon. */

/**
 * Arguments: the epoch that this process has seen, a new one, the version of the form that records are kept in.
 *
 * A server forgets its cached scripts when it starts, and nothing but this loads them again: whatever comes after a start of the
 * server, this comes first. So `start:N` is how many writes had been kept when generation N began.
 */
export const ATTACH = `
local server = redis.call('INFO', 'server')
local run = string.match(server, 'run_id:(%x+)') or ''
local head = redis.call('HMGET', KEYS[1], 'epoch', 'generation', 'writes', 'run', 'version')
if not head[1] then
  if ARGV[1] ~= '' then return { 'lost' } end
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'generation', '1', 'writes', '0', 'run', run, 'version', ARGV[3])
  return { 'ok', ARGV[2], '1', '0' }
end
if head[5] ~= ARGV[3] then return { 'version', head[5] or '' } end
local generation = head[2]
if head[4] ~= run then
  generation = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'generation', 1))
  redis.call('HSET', KEYS[1], 'run', run, 'start:' .. generation, head[3])
end
return { 'ok', head[1], generation, head[3] }
`;
