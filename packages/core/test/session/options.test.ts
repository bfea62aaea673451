import { describe, expect, it } from 'vitest';
import { createMcpTx, memoryLedger } from '../../src/index.ts';
import { http as httpV1, stdio as stdioV1 } from '../../src/sdk-v1.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

const server = new ScriptedServer().source;
const refuses = (options: object, says: string | RegExp): void => {
  expect(() => createMcpTx({ server, ...options } as never)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      execution: 'none',
      retryable: false,
      message: expect.stringMatching(says),
    }),
  );
};

describe('createMcpTx names the field that is wrong', () => {
  it.each([
    [{ server: undefined }, /^server must be/],
    [{ server: { callTool: 1 } }, /^server must be/],
    [{ timeoutMs: 0 }, /^timeoutMs must be > 0/],
    [{ timeoutMs: '1s' }, /^timeoutMs must be number/],
    [{ timeoutMs: Number.NaN }, /^timeoutMs/],
    [{ timeoutMs: 3e9 }, /^timeoutMs must be <=/],
    [{ timoutMs: 5 }, /^timoutMs is not known; look for a typing error/],
    [{ retry: { maxAttempts: 0 } }, /^retry\.maxAttempts must be >= 1/],
    [{ retry: { maxAttempts: 1.5 } }, /^retry\.maxAttempts must be integer/],
    [{ retry: { jitter: 'some' } }, /^retry\.jitter must be equal to one of the allowed values: full, none/],
    [{ retry: { attempts: 3 } }, /^retry\.attempts is not known/],
    [{ delivery: 'exactly-once' }, /^delivery must be .*: at-most-once, at-least-once, effectively-once/],
    [{ tools: { pay: { idempotencyKey: 'x' } } }, /^tools\.pay\.idempotencyKey is not known/],
    [{ tools: { pay: { idempotencyArgument: 'key' } } }, /must be a JSON pointer/],
    [{ tools: { pay: { probe: 'x' } } }, /^tools\.pay\.probe must be a function/],
    [{ tools: { pay: { readOnly: true, idempotent: false } } }, /readOnly: true and idempotent: false/],
    [{ tools: { pay: { delivery: 'at-least-once', idempotent: false } } }, /repeat does harm/],
    [{ logger: { info() {} } }, /^logger must have required property/],
    [{ ledger: {} }, /not a ledger|name is required/],
    [{ leaseMs: 1_000, safetyMarginMs: 1_000 }, /safetyMarginMs \(1000\) must be less than leaseMs/],
    [{ requireDurability: 'fsync' }, /requireDurability is 'fsync', but the ledger’s is 'process'/],
    [{ requireDurability: 'process', ledger: false }, /the ledger’s is 'none'/],
    [{ name: '' }, /^name must NOT have fewer than 1/],
    [{ limits: { maxInFlight: 0 } }, /^limits\.maxInFlight/],
  ])('%j', (options, says) => refuses(options, says));

  it('wants a name with a ledger that outlives the process', () => {
    const durable = Object.assign(Object.create(memoryLedger()) as object, { durability: 'fsync' });
    refuses({ ledger: durable }, /^name is required/);
    expect(() =>
      createMcpTx({ server, ledger: durable as never, name: 'payments', requireDurability: 'fsync' }),
    ).not.toThrow();
  });

  it.each([null, undefined, 7, 'stdio'])('%j is no object of options', (options) => {
    expect(() => createMcpTx(options as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('stdio() and http() name what is wrong', () => {
  it.each([
    [() => stdioV1({ command: '' }), 'command'],
    [() => stdioV1({ command: 'a\0b' }), 'NUL'],
    [() => stdioV1({ command: 'a', args: [7 as never] }), 'args'],
    [() => stdioV1({ command: 'a', maxFrameBytes: 0 }), 'maxFrameBytes'],
    [() => httpV1({ url: 'localhost:3000' }), 'url'],
    [() => httpV1({ url: 'file:///etc/passwd' }), 'url'],
    [() => httpV1({ url: 'javascript:alert(1)' }), 'url'],
  ])('%s', (make, field) => {
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(field) }));
  });
});
