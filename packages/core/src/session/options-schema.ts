/** The JSON Schemas of options: every field, so that a typing error is noticed, and the range of every number. */

import { MAX_TIMER_MS } from '../runtime/clock.ts';

const ms = { type: 'number', exclusiveMinimum: 0, maximum: MAX_TIMER_MS } as const;
const msOrZero = { type: 'number', minimum: 0, maximum: MAX_TIMER_MS } as const;
const flag = { type: 'boolean' } as const;
const anything = {} as const;
const name = { type: 'string', minLength: 1, maxLength: 255 } as const;
const delivery = { enum: ['at-most-once', 'at-least-once', 'effectively-once'] } as const;
const onAbort = { enum: ['detach', 'cancel'] } as const;
const count = { type: 'integer', minimum: 1 } as const;

const retry = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxAttempts: { type: 'integer', minimum: 1, maximum: 100 },
    baseDelayMs: msOrZero,
    maxDelayMs: msOrZero,
    backoffMultiplier: { type: 'number', minimum: 1, maximum: 100 },
    jitter: { enum: ['full', 'none'] },
  },
} as const;

const rule = {
  type: 'object',
  additionalProperties: false,
  properties: {
    readOnly: flag,
    idempotent: flag,
    idempotencyArgument: { type: 'string' },
    delivery,
    timeoutMs: ms,
    attemptTimeoutMs: ms,
    retry,
    onAbort,
    fingerprint: { enum: ['on', 'off'] },
    storeArguments: flag,
    probe: { isFunction: true },
  },
} as const;

/** Schema of {@link McpTxOptions}. */
export const optionsSchema: object = {
  type: 'object',
  additionalProperties: false,
  properties: {
    server: anything,
    ledger: anything,
    clock: anything,
    random: anything,
    name,
    scope: name,
    requireDurability: { enum: ['process', 'async', 'fsync'] },
    timeoutMs: ms,
    attemptTimeoutMs: ms,
    retry,
    delivery,
    tools: { type: 'object', additionalProperties: rule },
    trusted: flag,
    busyMeansNotRun: flag,
    unavailableMeansNotRun: flag,
    validateArguments: flag,
    settleGraceMs: msOrZero,
    quietMs: msOrZero,
    leaseMs: { type: 'number', minimum: 100, maximum: MAX_TIMER_MS },
    renewLeases: flag,
    safetyMarginMs: msOrZero,
    retentionMs: { type: 'number', exclusiveMinimum: 0 },
    storeArguments: flag,
    limits: {
      type: 'object',
      additionalProperties: false,
      properties: {
        maxInFlight: count,
        maxQueued: { type: 'integer', minimum: 0 },
        maxQueuedLength: count,
        maxArgumentDepth: { type: 'integer', minimum: 1, maximum: 1_000 },
        maxArgumentLength: count,
        maxResultLength: count,
      },
    },
    retryBudget: {
      type: 'object',
      additionalProperties: false,
      properties: { capacity: msOrZero, ratio: { type: 'number', minimum: 0, maximum: 100 } },
    },
    breaker: {
      anyOf: [
        { const: false },
        {
          type: 'object',
          additionalProperties: false,
          properties: { failureThreshold: count, openMs: ms, halfOpenProbes: count },
        },
      ],
    },
    quarantineMs: msOrZero,
    readOnlyWithoutLedger: flag,
    sweepIntervalMs: msOrZero,
    connectTimeoutMs: ms,
    probeIfIdleMs: msOrZero,
    logger: {
      type: 'object',
      required: ['debug', 'info', 'warn', 'error'],
      properties: {
        debug: { isFunction: true },
        info: { isFunction: true },
        warn: { isFunction: true },
        error: { isFunction: true },
      },
    },
    logRequests: {
      anyOf: [
        flag,
        {
          type: 'object',
          additionalProperties: false,
          properties: { arguments: flag, redact: { type: 'array', items: { type: 'string' } } },
        },
      ],
    },
  },
};

/** Schema of {@link CallOptions}. Keys have a check of their own, with its own error code. */
export const callOptionsSchema: object = {
  type: 'object',
  additionalProperties: false,
  properties: {
    idempotencyKey: anything,
    scope: name,
    timeoutMs: ms,
    maxTimeoutMs: ms,
    attemptTimeoutMs: ms,
    retry,
    delivery,
    signal: { type: 'object', required: ['aborted'] },
    onAbort,
    onProgress: { isFunction: true },
    meta: { type: 'object' },
    ifBusy: { enum: ['wait', 'fail'] },
    repeatOf: name,
    storeArguments: flag,
  },
};
