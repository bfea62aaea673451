/** Refuses options that cannot be meant, naming the field; the plain part by JSON Schema, the rest by hand. */
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isMcpClient } from '../connect/mcp-client.ts';
import { isServerSource } from '../connect/server-source.ts';
import { isAtLeast } from '../outcome/durability.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import { parsePointer } from '../policy/json-pointer.ts';
import type { CallOptions, ToolRule } from '../policy/settings.ts';
import type { McpTxOptions } from './options.ts';
import { callDefaults } from './options.ts';
import { callOptionsSchema, optionsSchema } from './options-schema.ts';

/** @throws McpTxError `CONFIG_INVALID` */
export function checkOptions(options: McpTxOptions): void {
  if (typeof options !== 'object' || options === null) throw invalid('createMcpTx takes an object of options');
  if (!isServerSource(options.server) && !isMcpClient(options.server)) {
    throw invalid(
      'server must be stdio(…) or http(…) of @mcp-tx/core/sdk-v1 or sdk-v2, or a connected Client of either SDK',
    );
  }
  const problem = firstProblem(validators().options, options);
  if (problem !== undefined) throw invalid(problem);
  checkLedger(options);
  for (const [tool, rule] of Object.entries(options.tools ?? {})) checkRule(tool, rule);
  const { leaseMs, safetyMarginMs } = callDefaults(options);
  if (safetyMarginMs >= leaseMs)
    throw invalid(`safetyMarginMs (${safetyMarginMs}) must be less than leaseMs (${leaseMs})`);
}

/** @throws McpTxError `CALL_INVALID` */
export function checkCall(tool: unknown, options: CallOptions | undefined): void {
  if (typeof tool !== 'string' || tool === '' || tool.length > 1_024) {
    throw new McpTxError('CALL_INVALID', 'the tool name must be a string of 1 to 1,024 characters');
  }
  const problem = options === undefined ? undefined : firstProblem(validators().call, options);
  if (problem !== undefined) throw new McpTxError('CALL_INVALID', `call option ${problem}`);
}

function checkLedger({ ledger, name, requireDurability }: McpTxOptions): void {
  const durability = ledger === undefined ? 'process' : ledger === false ? undefined : ledger.durability;
  if (ledger !== undefined && ledger !== false) {
    if (typeof ledger.claim !== 'function' || typeof ledger.settle !== 'function')
      throw invalid('ledger is not a ledger');
    if (ledger.durability !== 'process' && name === undefined) {
      throw invalid(
        'name is required with a ledger that outlives the process: it is part of every operation’s identity',
      );
    }
  }
  if (requireDurability === undefined) return;
  if (durability === undefined || !isAtLeast(durability, requireDurability)) {
    throw invalid(`requireDurability is '${requireDurability}', but the ledger’s is '${durability ?? 'none'}'`);
  }
}

function checkRule(tool: string, rule: ToolRule): void {
  const { idempotencyArgument, delivery, readOnly, idempotent } = rule;
  if (idempotencyArgument !== undefined && parsePointer(idempotencyArgument) === undefined) {
    throw invalid(`tools.${tool}.idempotencyArgument must be a JSON pointer such as '/idempotency_key'`);
  }
  if (delivery === 'at-least-once' && (readOnly === false || idempotent === false)) {
    throw invalid(`tools.${tool} says that a repeat does harm and asks for delivery 'at-least-once'`);
  }
  if (readOnly === true && idempotent === false)
    throw invalid(`tools.${tool} says readOnly: true and idempotent: false`);
}

interface Validators {
  readonly options: ValidateFunction;
  readonly call: ValidateFunction;
}

let compiled: Validators | undefined; // a memo of constants, not state

function validators(): Validators {
  if (compiled === undefined) {
    const ajv = new Ajv2020({ strict: false, allErrors: false, logger: false });
    ajv.addKeyword({ keyword: 'isFunction', validate: (_: unknown, data: unknown) => typeof data === 'function' });
    compiled = { options: ajv.compile(optionsSchema), call: ajv.compile(callOptionsSchema) };
  }
  return compiled;
}

function firstProblem(validate: ValidateFunction, value: unknown): string | undefined {
  if (validate(value)) return undefined;
  const { instancePath, message, params, keyword } = validate.errors?.[0] ?? {};
  const field = (instancePath ?? '').slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties') {
    const extra = String((params as { additionalProperty?: unknown }).additionalProperty);
    return `${field === '' ? extra : `${field}.${extra}`} is not known; look for a typing error`;
  }
  const allowed =
    keyword === 'enum' ? `: ${(params as { allowedValues: readonly unknown[] }).allowedValues.join(', ')}` : '';
  return `${field === '' ? 'value' : field} ${keyword === 'isFunction' ? 'must be a function' : message}${allowed}`;
}

function invalid(message: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', message);
}
