/** Checks values against a server's own schemas, written by somebody whom we do not trust with our processor time. */
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Longest schema that is compiled, as JSON text. A longer one is not used. */
const MAX_SCHEMA_LENGTH = 128 * 1024;

/** Says what is wrong with a value; `undefined`: nothing is. */
export type SchemaCheck = (value: unknown) => string | undefined;

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

  /** The check for one schema; `undefined` for one that cannot be used here. `subject`: what to call the whole value. Never throws. */
  compile(schema: unknown, subject: string): SchemaCheck | undefined {
    let validate: ValidateFunction;
    try {
      if (typeof schema !== 'object' || schema === null || JSON.stringify(schema).length > MAX_SCHEMA_LENGTH)
        return undefined;
      const { $schema: _dialect, $id: _id, ...body } = schema as Record<string, unknown>;
      validate = this.#ajv.compile(body);
    } catch {
      return undefined;
    }
    return (value) => {
      if (validate(value)) return undefined;
      const { instancePath, message, params } = validate.errors?.[0] ?? {};
      const extra = (params as { additionalProperty?: string } | undefined)?.additionalProperty;
      const where = instancePath === undefined || instancePath === '' ? subject : instancePath;
      return `${where} ${extra === undefined ? message : `${message} (${extra})`}`;
    };
  }
}
