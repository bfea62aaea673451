/** Owns how each fault looks on a pipe. */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from './answer.ts';
import type { CallDesk } from './call-desk.ts';
import { die } from './die.ts';
import type { Fault } from './fault.ts';
import { effectTiming } from './fault.ts';
import type { ToolCall } from './tool-call.ts';

/** Injects a fault into one call, in place of the SDK, on this process's own stdout. */
export async function injectOnStdio(fault: Fault, call: ToolCall, desk: CallDesk): Promise<void> {
  if (fault.kind === 'drop-request') return;
  if (fault.kind === 'exit-before') return die(fault.how);
  if (fault.kind === 'delay' && effectTiming(fault) === 'before') await sleep(fault.ms);
  const runs = effectTiming(fault) === 'after' || fault.kind === 'delay' || fault.kind === 'json-rpc-error';
  const line = runs ? await answerLine(fault, call, desk) : '';
  await writeFaulty(fault, line);
}

async function writeFaulty(fault: Fault, line: string): Promise<void> {
  switch (fault.kind) {
    case 'drop-response':
      return;
    case 'exit-after':
      return die(fault.how);
    case 'delay':
      if (effectTiming(fault) === 'after') await sleep(fault.ms);
      return write(line);
    case 'double-answer':
      return write(line + line);
    case 'garbage':
      return write('}} this line is not JSON {{\n');
    case 'half-line':
      process.stdout.write(line.slice(0, line.length / 2), () => die('exit'));
      return;
    case 'close-stdout':
      return closeStdout();
    default:
      return write(line);
  }
}

async function answerLine(fault: Fault, call: ToolCall, desk: CallDesk): Promise<string> {
  const answer = await desk.answer(
    call,
    (notification) => write(`${JSON.stringify({ jsonrpc: '2.0', ...notification })}\n`),
    fault,
  );
  const id = fault.kind === 'wrong-id' ? `nobody-asked-${call.id}` : call.id;
  return `${JSON.stringify(toMessage(id, answer))}\n`;
}

function write(text: string): void {
  process.stdout.write(text);
}

/** The null device takes the free number 1 at once: otherwise the next file opened would, and answers would go into it. */
function closeStdout(): void {
  closeSync(1);
  openSync('/dev/null', 'w');
}
