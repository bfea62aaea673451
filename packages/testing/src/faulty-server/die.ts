/** Owns the sudden death of the server process. */

/** Ends this process at once: like `kill -9`, or as a program that gives up with exit code 1. */
export function die(how: 'kill' | 'exit' = 'kill'): void {
  if (how === 'kill') process.kill(process.pid, 'SIGKILL');
  process.exit(1);
}
