/** Owns the place of logs that nobody named: one folder per process, removed when the process ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;
let count = 0;

/** A fresh path in this process's own temporary folder. */
export function temporaryLog(name: string): string {
  folder ??= createFolder();
  count += 1;
  return join(folder, `${count}-${name}`);
}

function createFolder(): string {
  const created = mkdtempSync(join(tmpdir(), 'mcp-tx-testing-'));
  process.once('exit', () => rmSync(created, { recursive: true, force: true }));
  return created;
}
