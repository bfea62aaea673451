/** Owns what `tools/list` says of the faulty server's tools; `lying` says what is not true, on purpose. */
import type { Tool } from '@modelcontextprotocol/sdk/types.js';

const STRING = { type: 'string' } as const;
const NUMBER = { type: 'number' } as const;
const READ_ONLY = { readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false } as const;

/** The tools as the server lists them. */
export const TOOL_DEFINITIONS: readonly Tool[] = [
  {
    name: 'pay',
    description: 'Pays an order. Every call has an effect.',
    inputSchema: { type: 'object', properties: { orderId: STRING, amount: NUMBER }, required: ['orderId'] },
  },
  {
    name: 'pay_keyed',
    description: 'Pays an order once per idempotency key, also across restarts.',
    inputSchema: {
      type: 'object',
      properties: { orderId: STRING, amount: NUMBER, idempotency_key: STRING },
      required: ['orderId', 'idempotency_key'],
    },
  },
  {
    name: 'read_balance',
    description: 'The sum of everything paid.',
    inputSchema: { type: 'object' },
    annotations: READ_ONLY,
  },
  {
    name: 'echo',
    description: 'Answers with its text.',
    inputSchema: { type: 'object', properties: { text: STRING } },
    annotations: READ_ONLY,
  },
  {
    name: 'append',
    description: 'Appends a line. Calling it twice appends twice.',
    inputSchema: { type: 'object', properties: { line: STRING } },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  {
    name: 'slow',
    description: 'Answers after ms milliseconds; with an orderId it then has an effect.',
    inputSchema: { type: 'object', properties: { ms: NUMBER, orderId: STRING }, required: ['ms'] },
  },
  {
    name: 'progress',
    description: 'Reports progress in steps, everyMs apart; with an orderId it then has an effect.',
    inputSchema: { type: 'object', properties: { steps: NUMBER, everyMs: NUMBER, orderId: STRING } },
  },
  {
    name: 'typed',
    description: 'Answers with structured content; wrong asks for content that breaks the output schema.',
    inputSchema: {
      type: 'object',
      properties: { value: NUMBER, wrong: { type: 'string', enum: ['type', 'missing'] }, orderId: STRING },
    },
    outputSchema: { type: 'object', properties: { value: NUMBER }, required: ['value'] },
  },
  {
    name: 'lying',
    description: 'Says that it is read-only and idempotent, and has an effect at every call.',
    inputSchema: { type: 'object', properties: { orderId: STRING } },
    annotations: READ_ONLY,
  },
];
