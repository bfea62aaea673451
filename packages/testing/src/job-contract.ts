/** Public face `@mcp-tx/testing/job-contract`: what every queue host must do, as cases that run under any test runner. */
import { attackCases } from './job-contract/attack-cases.ts';
import { badCases } from './job-contract/bad-cases.ts';
import { endCases } from './job-contract/end-cases.ts';
import type { JobCase } from './job-contract/fixture.ts';
import { lifeCases } from './job-contract/life-cases.ts';

export type {
  DeadLetter,
  JobCase,
  JobHostFixture,
  JobHostSetup,
  JobNeed,
  JobWorld,
  RunningJobHost,
} from './job-contract/fixture.ts';
export { runJobCase } from './job-contract/run-case.ts';

/** Every case of the contract. */
export const jobCases: readonly JobCase[] = [...endCases, ...badCases, ...attackCases, ...lifeCases];
