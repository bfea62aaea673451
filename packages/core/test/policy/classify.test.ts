import { describe, expect, it } from 'vitest';
import type { ServerRules } from '../../src/policy/classify.ts';
import { classify } from '../../src/policy/classify.ts';
import type { Observation } from '../../src/policy/observation.ts';
import { factsOf } from '../../src/policy/observation.ts';

const strict: ServerRules = { trusted: false, busyMeansNotRun: true, unavailableMeansNotRun: false };
const trusted: ServerRules = { ...strict, trusted: true };
const sent = { tapped: true, dispatched: true };
const thrown = (facts: object): Observation => ({ ...sent, thrown: { name: 'Error', message: 'x', ...facts } });
const errorFrame = (code: number, data?: unknown): Observation => ({
  ...sent,
  frame: 'error',
  errorFrame: { code, message: 'no', data },
});
const nack = (more: object) => ({ 'io.github.mcp-tx/reliability': { ack: false, ...more } });

describe('proof comes before appearance', () => {
  it('a result frame means that it ran, whatever the SDK throws afterwards', () => {
    for (const code of [-32_600, -32_602, -32_000, -32_001]) {
      const seen = { ...thrown({ code }), frame: 'result' as const };
      expect(classify(seen, trusted)).toMatchObject({ class: 'executed-unusable', serverFault: false });
    }
  });

  it('a local error with a peer’s code proves nothing', () => {
    for (const code of [-32_601, -32_602, -32_600, -32_700, -32_020]) {
      expect(classify(thrown({ code }), trusted).class).toBe('unknown');
    }
  });

  it('what the SDK refuses before sending is refused for good', () => {
    const seen = {
      tapped: true,
      dispatched: false,
      thrown: { name: 'McpError', code: -32_600, message: 'requires task-based execution' },
    };
    expect(classify(seen, strict).class).toBe('rejected');
  });

  it('without a tap nothing counts as unsent but what names its own cause', () => {
    const untapped = { tapped: false, dispatched: true };
    expect(classify({ ...untapped, thrown: { name: 'Error', message: 'Not connected' } }, strict).class).toBe(
      'not-sent',
    );
    expect(classify({ ...untapped, thrown: { name: 'Error', message: 'whatever' } }, strict).class).toBe('unknown');
  });
});

describe('error frames', () => {
  it.each([
    [-32_700, 'rejected', 'rejected'],
    [-32_601, 'rejected', 'rejected'],
    [-32_600, 'unknown', 'rejected'],
    [-32_602, 'unknown', 'rejected'],
    [-32_020, 'rejected', 'rejected'],
    [-32_021, 'rejected', 'rejected'],
    [-32_022, 'rejected', 'rejected'],
    [-32_603, 'unknown', 'unknown'],
    [-32_000, 'unknown', 'unknown'],
    [-32_001, 'unknown', 'unknown'],
    [-32_050, 'unknown', 'unknown'],
    [42, 'unknown', 'unknown'],
    [Number.NaN, 'unknown', 'unknown'],
  ])('%d is %s; from a trusted server %s', (code, untrustedClass, trustedClass) => {
    expect(classify(errorFrame(code), strict).class).toBe(untrustedClass);
    expect(classify(errorFrame(code), trusted).class).toBe(trustedClass);
  });

  it('a refusal in MCP-Tx’s own words overrules the code', () => {
    expect(classify(errorFrame(-32_602, nack({ processed: false, reason: 'conflict' })), strict).class).toBe(
      'rejected',
    );
    expect(classify(errorFrame(-32_602, nack({ processed: false, reason: 'in-progress' })), strict).class).toBe(
      'unknown',
    );
    expect(classify(errorFrame(-32_602, nack({ processed: true })), strict)).toMatchObject({
      class: 'unknown',
      doubt: 'server-in-doubt',
    });
    expect(classify(errorFrame(-32_602, nack({ processed: false, reason: 'in-doubt' })), strict).class).toBe('unknown');
    expect(classify(errorFrame(-32_601, nack({ processed: 'yes' })), strict).class).toBe('rejected'); // malformed: not ours
  });
});

describe('HTTP status of this send', () => {
  const at = (status: number, more: object = {}): Observation => ({ ...sent, status, ...more });
  it.each([
    [301, 'rejected'],
    [307, 'rejected'],
    [400, 'rejected'],
    [401, 'rejected-auth'],
    [403, 'rejected-auth'],
    [404, 'rejected'],
    [405, 'rejected'],
    [406, 'rejected'],
    [408, 'unknown'],
    [409, 'unknown'],
    [413, 'rejected'],
    [415, 'rejected'],
    [422, 'rejected'],
    [425, 'unknown'],
    [429, 'rejected-busy'],
    [431, 'rejected'],
    [500, 'unknown'],
    [502, 'unknown'],
    [503, 'unknown'],
    [504, 'unknown'],
  ])('%d is %s', (status, expected) => {
    expect(classify(at(status), strict).class).toBe(expected);
  });

  it('404 of a session is an expired one; 429 and 503 mean what the user says', () => {
    expect(classify(at(404, { hadSession: true }), strict).class).toBe('rejected-session');
    expect(classify(at(429), { ...strict, busyMeansNotRun: false }).class).toBe('unknown');
    expect(classify(at(503, { retryAfterMs: 5 }), strict).class).toBe('unknown');
    expect(classify(at(503, { retryAfterMs: 5 }), { ...strict, unavailableMeansNotRun: true })).toMatchObject({
      class: 'rejected-busy',
      retryAfterMs: 5,
    });
    expect(classify(at(503), { ...strict, unavailableMeansNotRun: true }).class).toBe('unknown');
  });
});

describe('what was thrown', () => {
  const fetchFailed = (cause: object): Observation => ({
    ...sent,
    thrown: factsOf(Object.assign(new TypeError('fetch failed'), { cause })),
  });
  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ])('%s never left', (code) => {
    expect(classify(fetchFailed({ code }), strict)).toMatchObject({ class: 'not-sent', serverFault: true });
    expect(classify(fetchFailed({ errors: [{ code }] }), strict).class).toBe('not-sent'); // happy eyeballs
  });

  it.each([
    'ECONNRESET',
    'EPIPE',
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_BODY_TIMEOUT',
    'ETIMEDOUT',
    'SOMETHING_NEW',
  ])('%s may have left, also on a socket used before', (code) =>
    expect(classify(fetchFailed({ code }), strict).class).toBe('unknown'),
  );

  it.each([
    [{ name: 'ZodError' }, 'executed-unusable'],
    [{ name: '$ZodError' }, 'executed-unusable'],
    [{ name: 'SyntaxError' }, 'executed-unusable'],
    [{ name: 'SdkError', code: 'INVALID_RESULT' }, 'executed-unusable'],
    [{ name: 'SdkError', code: 'REQUEST_TIMEOUT' }, 'unknown'],
    [{ name: 'SdkError', code: 'CONNECTION_CLOSED' }, 'unknown'],
    [{ code: 'ENOENT' }, 'not-sent'],
    [{ code: 'ERA_NEGOTIATION_FAILED' }, 'not-sent'],
  ])('%j is %s', (facts, expected) => {
    expect(classify(thrown(facts), strict).class).toBe(expected);
  });

  it('reads hostile values without harm', () => {
    const cyclic: { cause?: unknown } = {};
    cyclic.cause = cyclic;
    for (const value of [null, undefined, 'text', 7, cyclic, { message: 7, code: {} }, Object.create(null)]) {
      expect(classify({ ...sent, thrown: factsOf(value) }, strict).class).toBe('unknown');
    }
  });
});

describe('results', () => {
  const result = (raw: object): Observation => ({ ...sent, frame: 'result', result: raw, rawResult: raw });
  it.each([
    [{ content: [] }, 'completed'],
    [{ content: [], isError: true }, 'completed'],
    [{ content: [], resultType: 'complete' }, 'completed'],
    [{ structuredContent: {} }, 'completed'],
    [{}, 'executed-unusable'],
    [{ content: [], resultType: 'evil' }, 'executed-unusable'],
    [{ content: [], resultType: 'input_required' }, 'pending'],
    [{ content: [], task: { taskId: 't' } }, 'pending'],
    [{ resultType: 'task', taskId: 't' }, 'pending'],
  ])('%j is %s', (raw, expected) => {
    expect(classify(result(raw), strict).class).toBe(expected);
  });
});
