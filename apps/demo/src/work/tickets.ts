/** The work for the filesystem server: one `edit_file` per ticket, which adds a line; run twice, it adds the line twice. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lane, Operation, Range } from './lane.ts';
import { numbersOf } from './lane.ts';

/** Where the tickets of one side lie. */
export function ticketFolder(folder: string): string {
  return join(folder, 'tickets');
}

/** Where ticket number `n` lies. */
export function ticketPath(folder: string, n: number): string {
  return join(ticketFolder(folder), `ticket-${String(n).padStart(3, '0')}.md`);
}

/** Writes the tickets as they are before any work. */
export function writeTickets(folder: string, range: Range): void {
  mkdirSync(ticketFolder(folder), { recursive: true });
  for (const n of numbersOf(range)) writeFileSync(ticketPath(folder, n), headOf(n));
}

/** The edits of a range of tickets. */
export function ticketLane(folder: string, range: Range): Lane {
  const numbers = numbersOf(range);
  return {
    server: 'filesystem',
    tool: 'edit_file',
    operations: numbers.map((n) => editOf(folder, n)),
    effects: () => new Map(numbers.map((n) => [keyOf(n), countLines(ticketPath(folder, n), lineOf(n))])),
  };
}

/** Whether a ticket's text has the line of its edit: what a probe has to know. */
export function hasEdit(text: string, edit: Readonly<Record<string, unknown>>): boolean {
  const [{ oldText = '', newText = '' } = {}] = edit.edits as readonly { oldText?: string; newText?: string }[];
  return text.includes(newText.slice(oldText.length));
}

function editOf(folder: string, n: number): Operation {
  const edits = [{ oldText: headOf(n), newText: headOf(n) + lineOf(n) }];
  return { key: keyOf(n), title: `edit of ticket ${n}`, arguments: { path: ticketPath(folder, n), edits } };
}

function keyOf(n: number): string {
  return `ticket-${n}`;
}

function headOf(n: number): string {
  return `# Ticket ${n}\n`;
}

function lineOf(n: number): string {
  return `- refunded ${100 + n}.00 EUR\n`;
}

function countLines(path: string, line: string): number {
  return readFileSync(path, 'utf8').split(line).length - 1;
}
