// From which sources a figure comes.
import { execFileSync } from 'node:child_process';

/** The commit of the sources, with `-dirty` when they were changed since; `unknown` outside of git. */
export function sourceCommit(): string {
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
    return execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
