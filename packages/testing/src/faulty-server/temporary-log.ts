/** Owns the place of logs that nobody named: one folder per process, removed when the process ends or by whoever comes next. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'mcp-tx-testing-';

let folder: string | undefined;
let count = 0;

/** A fresh path in this process's own temporary folder. */
export function temporaryLog(name: string): string {
  folder ??= createFolder();
  count += 1;
  return join(folder, `${count}-${name}`);
}

function createFolder(): string {
  removeOrphans();
  const created = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  process.once('exit', () => remove(created));
  return created;
}

/** Test runners kill their workers, and what was killed cannot tidy up. */
function removeOrphans(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) remove(join(tmpdir(), name));
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
