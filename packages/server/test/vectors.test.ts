// The vectors of docs/spec/vectors, which any implementation of the extension can run, against this one.
import { readFileSync } from 'node:fs';
import { argumentsText, fingerprintOf, identify, memoryLedger } from '@mcp-tx/core/ledger';
import { EXTENSION_ID, readAck, readNack } from '@mcp-tx/core/protocol';
import { describe, expect, it } from 'vitest';
import { createServerTx } from '../src/index.ts';
import { readCall } from '../src/wire-call.ts';
import type { Caller, Failure } from './support/lines.ts';
import { blockOf, bytesOf, connect, v1Server } from './support/lines.ts';
import { createTools } from './support/tools.ts';

const LIMITS = { maxDepth: 64, maxLength: 1_000_000 };

describe('identities.json', () => {
  it.each(vectors<Identity>('identities'))('$text', ({ scope, serverName, key, operationId, digest }) => {
    expect(identify(scope, serverName, key)).toEqual({ operationId, digest });
  });
});

describe('fingerprints.json', () => {
  it.each(vectors<Fingerprint>('fingerprints'))('$why', ({ tool, arguments: args, canonical, fingerprint }) => {
    const text = argumentsText(args, LIMITS);
    expect(text).toBe(canonical);
    expect(fingerprintOf(tool, text)).toBe(fingerprint);
  });
});

describe('requests.json', () => {
  it.each(vectors<Request>('requests'))('$why', ({ _meta, reads }) => {
    const params = { name: 'pay', arguments: {}, ...(_meta === null ? {} : { _meta }) };
    const reading = readCall({ method: 'tools/call', params });
    if (reading.kind === 'plain') expect(reads).toEqual({ kind: 'plain' });
    else if (reading.kind === 'refused') expect(reads).toEqual({ kind: 'refused', reason: reading.refusal.reason });
    else {
      const { operationId, requestId, attempt, remainingMs } = reading.call;
      const said = Number.isFinite(remainingMs) ? remainingMs : null;
      expect(reads).toEqual({ kind: 'call', call: { operationId, requestId, attempt, remainingMs: said } });
    }
  });
});

describe('answers.json', () => {
  it.each(vectors<Answer>('answers'))('$in: $why', ({ in: place, block, reads }) => {
    const carrier = block === null ? {} : { [EXTENSION_ID]: block };
    expect((place === 'result' ? readAck(carrier) : readNack(carrier)) ?? null).toEqual(reads);
  });
});

describe('exchanges.json', () => {
  it.each(vectors<Exchange>('exchanges'))('$why', async ({ steps }) => {
    const tools = createTools({
      explode(args, context) {
        tools.bodies.pay?.(args, context);
        throw new Error('boom');
      },
    });
    const tx = createServerTx({ ledger: memoryLedger(), scope: ({ authInfo }) => authInfo?.clientId });
    const answers: (Record<string, unknown> | Failure)[] = [];
    for (const { tool, arguments: args, _meta, scope = 'anna', effects, answer, sameAs } of steps) {
      await using caller = await connect(tx.wrap(v1Server(tools.bodies)), { clientId: scope, token: 't', scopes: [] });
      const told = await tell(caller, answer, tool, args, _meta ?? undefined);
      answers.push(told);
      expect(tools.effects()).toBe(effects);
      if (sameAs !== undefined) expect(bytesOf(told as never)).toBe(bytesOf(answers[sameAs] as never));
    }
  });
});

async function tell(caller: Caller, expected: Step['answer'], tool: string, args: object, meta: object | undefined) {
  if (expected.error !== undefined) {
    const failure = await caller.fail(tool, args, meta);
    expect(failure.code).toBe(expected.code);
    expect(blockOf(failure)).toMatchObject(expected.error);
    return failure;
  }
  const result = await caller.call(tool, args, meta);
  if (expected.result === null) expect(blockOf(result)).toBeUndefined();
  else expect(blockOf(result)).toMatchObject(expected.result as object);
  return result;
}

function vectors<T>(name: string): readonly T[] {
  const file = new URL(`../../../docs/spec/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as readonly T[];
}

type Identity = Readonly<Record<'scope' | 'serverName' | 'key' | 'text' | 'operationId' | 'digest', string>>;

interface Fingerprint {
  readonly why: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly canonical: string;
  readonly fingerprint: string;
}

interface Request {
  readonly why: string;
  readonly _meta: object | null;
  readonly reads: object;
}

interface Answer {
  readonly why: string;
  readonly in: 'result' | 'error';
  readonly block: object | null;
  readonly reads: object | null;
}

interface Exchange {
  readonly why: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly tool: string;
  readonly arguments: object;
  readonly _meta: object | null;
  readonly scope?: string;
  readonly effects: number;
  /** `result: null`: a result without our block. */
  readonly answer: { readonly result?: object | null; readonly error?: object; readonly code?: number };
  readonly sameAs?: number;
}
