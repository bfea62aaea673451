// A small disk of the run's own, in memory, that can be filled to the last byte and emptied again.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from 'measure';

/** A small disk. */
export interface SmallDisk {
  readonly folder: string;
  fill(): void;
  makeRoom(): void;
  unmount(): void;
}

const SIZE = '64m';
const BLOCKS = [1 << 20, 4_096, 1].map((size) => Buffer.alloc(size));

/** Mounts it at `folder`. @throws UsageError where this user may not mount */
export function mountSmallDisk(folder: string): SmallDisk {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'mcp-tx-torture', folder], { stdio: 'ignore' });
  } catch {
    throw new UsageError('--disk-full mounts a small disk in memory, which needs Linux and root');
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      const file = openSync(ballast, 'w');
      for (const block of BLOCKS) writeUntilFull(file, block);
      closeSync(file);
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    unmount: () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }),
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
