// Every queue that can be tortured, by its name.
import { bullmq } from './bullmq.ts';
import type { QueueKind, QueueName } from './queue.ts';
import { rabbitmq } from './rabbitmq.ts';

export const QUEUE_KINDS: Readonly<Record<QueueName, QueueKind>> = { bullmq, rabbitmq };
