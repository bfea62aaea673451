// Rows of the queue tests that are cases of the contract: T9 attempts, attempts-over-runs; T10, T23 forged; T25 drain, hung;
// T44, T46 key-twice; T48 hung; T49 cut; T50 all of them. T11, T21, T22, T24, T26, T45, T47 are in the other files.
import { startRabbitmq } from '@mcp-tx/testing/services';
import { describeJobContract } from '@mcp-tx/testing/vitest';
import { afterAll } from 'vitest';
import { rabbitmqHost } from './support/rabbitmq-host.ts';

const service = await startRabbitmq();
afterAll(() => service.stop());

describeJobContract('RabbitMQ', rabbitmqHost(service));
