// The hosts that are attacked, by name.
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { expressHost } from './hosts/express.ts';
import { lambdaHost } from './hosts/lambda.ts';
import { nestOnExpressHost, nestOnFastifyHost } from './hosts/nest.ts';
import { nextHost } from './hosts/next.ts';
import { nodeHost } from './hosts/node.ts';

export const hosts: Readonly<Record<string, HttpHostFixture>> = {
  node: nodeHost,
  express: expressHost,
  lambda: lambdaHost,
  'nest-on-express': nestOnExpressHost,
  'nest-on-fastify': nestOnFastifyHost,
  next: nextHost,
};
