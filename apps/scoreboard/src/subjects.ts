// Who is on the scoreboard, by the name that an actor's process is given.
import type { Subject } from './subject.ts';
import { bullmq } from './subjects/bullmq.ts';
import { dbos } from './subjects/dbos.ts';
import { mcpTx } from './subjects/mcp-tx.ts';
import { nodeIdempotency } from './subjects/node-idempotency.ts';
import { powertools, powertoolsOutside } from './subjects/powertools.ts';

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  'mcp-tx.sqlite': mcpTx('sqlite', 'at-most-once'),
  'mcp-tx.postgres': mcpTx('postgres', 'at-most-once'),
  'mcp-tx.mariadb': mcpTx('mariadb', 'at-most-once'),
  'mcp-tx.redis': mcpTx('redis', 'at-most-once'),
  'mcp-tx-repeat.sqlite': mcpTx('sqlite', 'at-least-once'),
  'mcp-tx-repeat.postgres': mcpTx('postgres', 'at-least-once'),
  'mcp-tx-repeat.mariadb': mcpTx('mariadb', 'at-least-once'),
  'mcp-tx-repeat.redis': mcpTx('redis', 'at-least-once'),
  bullmq,
  dbos,
  powertools,
  'powertools-outside': powertoolsOutside,
  'node-idempotency': nodeIdempotency,
};
