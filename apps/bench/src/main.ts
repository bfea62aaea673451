// bench: what MCP-Tx costs, as ratios against the raw SDK and peers, taken in one interleaved run.
import { runOneOf } from 'measure';
import { engine } from './engine.ts';
import { growth } from './growth.ts';
import { http } from './http.ts';
import { hub } from './hub.ts';
import { ledger } from './ledger.ts';
import { overload } from './overload.ts';
import { queue } from './queue.ts';
import { soak } from './soak.ts';

await runOneOf('bench', { engine, growth, http, hub, ledger, overload, queue, soak });
