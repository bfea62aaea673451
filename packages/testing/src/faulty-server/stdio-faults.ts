/** Owns how each fault looks on a pipe. */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from './answer.ts';
import type { CallDesk } from './call-desk.ts';
import { die } from './die.ts';
import type { Fault } from './fault.ts';
import { delayAt, reachesDesk } from './fault.ts';
import type { ToolCall } from './tool-call.ts';

/** Injects a fault into one call, in place of the SDK, on this process's own stdout. */
export async function injectOnStdio(fault: Fault, call: ToolCall, desk: CallDesk): Promise<void> {
  if (fault.kind === 'drop-request') return;
  if (fault.kind === 'exit-before') return die(fault.how);
  await sleep(delayAt(fault, 'before'));
  const line = reachesDesk(fault) ? await answerLine(fault, call, desk) : '';
  await sleep(delayAt(fault, 'after'));
  writeFaulty(fault, line);
}

function writeFaulty(fault: Fault, line: string): void {
  switch (fault.kind) {
    case 'drop-response':
      break;
    case 'exit-after':
      die(fault.how);
      break;
    case 'double-answer':
      write(line + line);
      break;
    case 'garbage':
      write('}} this line is not JSON {{\n');
      break;
    case 'half-line':
      process.stdout.write(line.slice(0, line.length / 2), () => die('exit'));
      break;
    case 'close-stdout':
      closeStdout();
      break;
    default:
      write(line);
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
