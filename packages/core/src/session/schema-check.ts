/** Checks arguments against a tool's own inputSchema, written by somebody whom we do not trust with our processor time. */
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { McpTxError } from '../outcome/tx-error.ts';

/** Longest schema that is compiled, as JSON text. A longer one is left to the server. */
const MAX_SCHEMA_LENGTH = 128 * 1024;

/** A compiled check; `undefined` for a schema that cannot be used here, which the server then has to check alone. */
export type ArgumentsCheck = ((args: Readonly<Record<string, unknown>>) => void) | undefined;

/** Compiles schemas. Nothing is fetched: a `$ref` to elsewhere makes the schema unusable. `pattern` is not evaluated: it may be made to hang. */
export class SchemaCompiler {
  readonly #ajv: Ajv2020;

  constructor() {
    this.#ajv = new Ajv2020({
      strict: false,
      allErrors: false,
      validateFormats: false,
      validateSchema: false,
      addUsedSchema: false,
      logger: false,
      inlineRefs: false,
    });
    this.#ajv.removeKeyword('pattern');
    this.#ajv.removeKeyword('patternProperties');
  }

  /** The check for one tool. Never throws. */
  compile(tool: string, schema: unknown): ArgumentsCheck {
    let validate: ValidateFunction;
    try {
      if (typeof schema !== 'object' || schema === null || JSON.stringify(schema).length > MAX_SCHEMA_LENGTH)
        return undefined;
      const { $schema: _dialect, $id: _id, ...body } = schema as Record<string, unknown>;
      validate = this.#ajv.compile(body);
    } catch {
      return undefined;
    }
    return (args) => {
      if (validate(args)) return;
      const { instancePath, message, params } = validate.errors?.[0] ?? {};
      const extra = (params as { additionalProperty?: string } | undefined)?.additionalProperty;
      const where = instancePath === undefined || instancePath === '' ? 'they' : instancePath;
      const what = extra === undefined ? message : `${message} (${extra})`;
      throw new McpTxError('ARGUMENTS_INVALID', `${tool} refuses these arguments: ${where} ${what}`, {
        reason: 'schema',
      });
    };
  }
}
