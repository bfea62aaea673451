/** Public face `@mcp-tx/testing/http-contract`: what every HTTP host must do, as cases that run under any test runner. */
import { apiCases } from './http-contract/api-cases.ts';
import { attackBodyCases } from './http-contract/attack-body-cases.ts';
import { attackDoorCases } from './http-contract/attack-door-cases.ts';
import { attackKeyCases } from './http-contract/attack-key-cases.ts';
import { callCases } from './http-contract/call-cases.ts';
import { deadlineCases } from './http-contract/deadline-cases.ts';
import type { HttpCase } from './http-contract/fixture.ts';

export type {
  HttpCase,
  HttpHostFixture,
  HttpHostProfile,
  HttpNeed,
  HttpWorld,
  RunningHost,
} from './http-contract/fixture.ts';
export type { HttpHostSetup } from './http-contract/profile.ts';
export { httpHostOptions } from './http-contract/profile.ts';
export { runHttpCase } from './http-contract/run-case.ts';
export type { Reply, Sent } from './http-contract/send.ts';

/** Every case of the contract. */
export const httpCases: readonly HttpCase[] = [
  ...callCases,
  ...deadlineCases,
  ...apiCases,
  ...attackKeyCases,
  ...attackBodyCases,
  ...attackDoorCases,
];
