#!/usr/bin/env node
/** The faulty MCP server on stdio, as an executable: `node stdio-main.ts --effect-log=<path> [--script=<json or path>] …`. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { openCallDesk } from './call-desk.ts';
import { createFaultRecorder } from './fault-log.ts';
import { createMcpServer } from './mcp-server.ts';
import { placeSteps } from './script.ts';
import { createScriptCursor } from './script-cursor.ts';
import { fromArguments } from './server-options.ts';
import { injectOnStdio } from './stdio-faults.ts';
import { temporaryLog } from './temporary-log.ts';
import { toToolCall } from './tool-call.ts';

const options = fromArguments(process.argv.slice(2));
if (options.mode === 'exit-at-once') process.exit(1);
if (options.mode === 'garbage-at-start') process.stdout.write('Starting server...\n{ "ready": tru\n');
if (options.mode === 'silent') process.stdin.resume();
else await serve(options.effectLog ?? temporaryLog('effects.jsonl'));

async function serve(effectLog: string): Promise<void> {
  const steps = placeSteps(options.script ?? [], 'stdio');
  const cursor = createScriptCursor(steps, options.state);
  const recorder = createFaultRecorder(steps, options.faultsLog);
  const desk = openCallDesk(effectLog, options.aware ?? false);
  const transport = new StdioServerTransport();
  await createMcpServer(desk).connect(transport);
  const deliver = transport.onmessage;
  transport.onmessage = (message) => {
    const call = toToolCall(message);
    if (call === undefined) return deliver?.(message);
    recorder.arrived(call);
    const strike = cursor.next(call.tool);
    if (strike === undefined || strike.step.fault.kind === 'none') return deliver?.(message);
    recorder.record(strike, call);
    void injectOnStdio(strike.step.fault, call, desk);
  };
}
