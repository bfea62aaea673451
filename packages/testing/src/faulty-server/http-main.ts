#!/usr/bin/env node
/** The faulty HTTP server as an executable: `node http-main.ts --effect-log=<path> [--port=<n>] …`; it prints its port. */
import { listenFaulty } from './http-server.ts';
import { fromArguments } from './server-options.ts';
import { temporaryLog } from './temporary-log.ts';

const options = fromArguments(process.argv.slice(2));
const { port } = await listenFaulty({ ...options, effectLog: options.effectLog ?? temporaryLog('effects.jsonl') });
process.stdout.write(`${port}\n`);
if (options.exitWithParent) process.stdin.once('end', () => process.exit()).resume();
