/** Describes the API of one kernel in OpenAPI 3.1, from the tools that its principal may call. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import { HTTP_ERRORS } from './http-error.ts';

/** What the document says of itself. */
export interface OpenApiInfo {
  readonly title: string;
  readonly version: string;
}

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object): object => ({ 'application/json': { schema } });
const text = { type: 'string' } as const;
const instant = { type: 'integer', description: 'Epoch milliseconds.' } as const;
const execution = { enum: ['none', 'unknown', 'done'], description: 'Did it happen.' } as const;
const problem = { content: { 'application/problem+json': { schema: ref('Problem') } }, description: 'A problem.' };
const operationState = { enum: ['claimed', 'sent', 'completed', 'failed', 'in_doubt'] } as const;

/** The document. */
export function openApiDocument(tools: readonly ToolDefinition[], info: OpenApiInfo, mount: string): object {
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: mount === '' ? '/' : mount }],
    paths: {
      ...Object.fromEntries(tools.map((tool) => [`/execute/${encodeURIComponent(tool.name)}`, toolPath(tool)])),
      '/operations': { get: operation('Operations of the caller, newest first.', ref('OperationList'), LIST_QUERY) },
      '/operations/{operationId}': {
        get: operation('One operation of the caller.', ref('Operation'), [inPath('operationId')]),
      },
    },
    components: { schemas: { Problem, Operation, OperationList, Accepted, Meta } },
  };
}

function toolPath(tool: ToolDefinition): object {
  const name = encodeURIComponent(tool.name);
  const arguments_ = withId(tool.inputSchema, `urn:mcp-tx:tool:${name}:input`);
  const structuredContent =
    tool.outputSchema === undefined ? {} : withId(tool.outputSchema, `urn:mcp-tx:tool:${name}:output`);
  const result = {
    type: 'object',
    properties: { content: { type: 'array' }, isError: { type: 'boolean' }, structuredContent },
  };
  const answer = { type: 'object', required: ['result', 'meta'], properties: { result, meta: ref('Meta') } };
  return {
    post: {
      operationId: `execute ${tool.name}`,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: EXECUTE_HEADERS,
      requestBody: {
        content: json({ type: 'object', properties: { arguments: arguments_ }, additionalProperties: false }),
      },
      responses: {
        '200': { description: 'The tool ran.', content: { ...json(answer), 'text/event-stream': { schema: text } } },
        '202': { description: 'Accepted; it goes on.', content: json(ref('Accepted')) },
        default: problem,
      },
    },
  };
}

/** With an `$id` a schema is a resource of its own, and its `#/$defs` stay its own (JSON Schema 2020-12, section 8.2.1). */
function withId(schema: unknown, id: string): object {
  if (typeof schema !== 'object' || schema === null) return {};
  return '$id' in schema ? schema : { $id: id, ...schema };
}

function operation(description: string, schema: object, parameters: readonly object[]): object {
  return {
    description,
    parameters,
    responses: { '200': { description: 'Found.', content: json(schema) }, default: problem },
  };
}

function inPath(name: string): object {
  return { name, in: 'path', required: true, schema: text };
}

function header(name: string, description: string, schema: object = text): object {
  return { name, in: 'header', description, schema };
}

const EXECUTE_HEADERS = [
  header('Idempotency-Key', 'The caller’s name for the intent. Required for tools that are not declared read-only.'),
  header('MCP-Tx-Timeout-Ms', 'Deadline, ms.', { type: 'integer', minimum: 1 }),
  header('Prefer', '`wait=SECONDS`, `respond-async`'),
] as const;

const LIST_QUERY = [
  { name: 'state', in: 'query', schema: { type: 'array', items: operationState } },
  { name: 'tool', in: 'query', schema: text },
  { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
  { name: 'cursor', in: 'query', schema: text },
] as const;

const Problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'execution', 'retryable', 'attempts'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    code: { ...text, examples: Object.keys(HTTP_ERRORS) },
    execution,
    retryable: { type: 'boolean', description: 'Whether the very same request may be sent again.' },
    operationId: text,
    attempts: { type: 'integer' },
  },
} as const;

const Operation = {
  type: 'object',
  required: ['operationId', 'tool', 'state', 'execution', 'attempts', 'createdAt'],
  properties: {
    operationId: text,
    tool: text,
    state: operationState,
    execution,
    idempotencyKey: text,
    attempts: { type: 'integer' },
    createdAt: instant,
    sentAt: instant,
    endedAt: instant,
    result: { type: 'object' },
    problem: ref('Problem'),
    resolvedBy: text,
  },
} as const;

const OperationList = {
  type: 'object',
  required: ['operations'],
  properties: { operations: { type: 'array', items: ref('Operation') }, cursor: text },
} as const;

const Accepted = {
  type: 'object',
  required: ['operationId', 'state', 'durability'],
  properties: { operationId: text, state: operationState, durability: text },
} as const;

const Meta = {
  type: 'object',
  required: ['ack', 'processed', 'duplicate', 'attempts', 'requestId', 'operationId', 'execution'],
  properties: {
    ack: { type: 'boolean' },
    processed: { type: 'boolean' },
    duplicate: { type: 'boolean' },
    attempts: { type: 'integer' },
    requestId: text,
    operationId: text,
    execution,
  },
} as const;
