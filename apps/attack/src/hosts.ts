// What is attacked, by name: hosts that take HTTP from outside, and hosts that take jobs out of a queue.
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpCases, runHttpCase } from '@mcp-tx/testing/http-contract';
import type { JobHostFixture } from '@mcp-tx/testing/job-contract';
import { jobCases, runJobCase } from '@mcp-tx/testing/job-contract';
import { startRabbitmq, startRedis } from '@mcp-tx/testing/services';
import { bullmqFixture } from '../../../packages/bullmq/test/support/bullmq-fixture.ts';
import { rabbitmqHost } from '../../../packages/rabbitmq/test/support/rabbitmq-host.ts';
import { expressHost } from './hosts/express.ts';
import { lambdaHost } from './hosts/lambda.ts';
import { nestOnExpressHost, nestOnFastifyHost } from './hosts/nest.ts';
import { nextHost } from './hosts/next.ts';
import { nodeHost } from './hosts/node.ts';

/** A hostile case that a host can be put through. */
export interface Attack {
  readonly id: string;
  /** Of the attack list. */
  readonly row: number;
  /** What the host lacks for it; empty where it can be tried. */
  readonly lacks: readonly string[];
  play(): Promise<void>;
}

/** A host, ready to be attacked. */
export interface Target {
  readonly attacks: readonly Attack[];
  close(): Promise<void>;
}

export const hosts: Readonly<Record<string, () => Promise<Target>>> = {
  node: () => overHttp(nodeHost),
  express: () => overHttp(expressHost),
  lambda: () => overHttp(lambdaHost),
  'nest-on-express': () => overHttp(nestOnExpressHost),
  'nest-on-fastify': () => overHttp(nestOnFastifyHost),
  next: () => overHttp(nextHost),
  bullmq,
  rabbitmq,
};

async function overHttp(fixture: HttpHostFixture): Promise<Target> {
  return {
    attacks: attacksOf(httpCases, fixture.can, (one) => runHttpCase(one, fixture)),
    close: async () => undefined,
  };
}

async function bullmq(): Promise<Target> {
  const redis = await startRedis();
  const place = (name: string) => ({ name, connection: { host: redis.host, port: redis.port } });
  return throughQueue(bullmqFixture({ can: [], place }), () => redis.stop());
}

async function rabbitmq(): Promise<Target> {
  const broker = await startRabbitmq();
  return throughQueue(rabbitmqHost(broker), () => broker.stop());
}

function throughQueue(fixture: JobHostFixture, close: () => Promise<void>): Target {
  return { attacks: attacksOf(jobCases, fixture.can, (one) => runJobCase(one, fixture)), close };
}

interface Case {
  readonly id: string;
  readonly attack?: number;
  readonly needs: readonly string[];
}

function attacksOf<One extends Case>(
  cases: readonly One[],
  can: readonly string[],
  play: (one: One) => Promise<void>,
): readonly Attack[] {
  return cases.flatMap((one) => {
    if (one.attack === undefined) return [];
    const lacks = one.needs.filter((need) => !can.includes(need));
    return [{ id: one.id, row: one.attack, lacks, play: () => play(one) }];
  });
}
