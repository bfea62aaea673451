// The last line of every test run: `N passed, N failed, N skipped`, for a person and for a script.
import type { Reporter, TestModule } from 'vitest/node';

/** Counts what vitest ran, and as failed also what vitest could not run: files that do not load, hooks, stray errors. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      count.failed += module.errors().length; // a file that could not be loaded has no tests to count
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) count[test.result().state] += 1;
    }
    process.once('exit', () => {
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
    });
  }
}
