#!/usr/bin/env node
/** The faulty HTTP server as an executable: `node http-main.ts --effect-log=<path> [--port=<n>] …`; it prints its port, or why it has none. */
import { listenFaulty } from './http-server.ts';
import { fromArguments } from './server-options.ts';
import { temporaryLog } from './temporary-log.ts';

const options = fromArguments(process.argv.slice(2));
const effectLog = options.effectLog ?? temporaryLog('effects.jsonl');
const { port } = await listenFaulty({ ...options, effectLog }).catch((error: Error) => {
  process.stdout.write(`${error.message}\n`, () => process.exit(1));
  return { port: undefined };
});
if (port !== undefined) process.stdout.write(`${port}\n`);
if (options.exitWithParent) process.stdin.once('end', () => process.exit()).resume();
