/** Checks values against a server's own schemas, written by somebody whom we do not trust with our processor time. */
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runBounded } from '../runtime/bounded-run.ts';
import { isSimple } from './schema-size.ts';

/** Longest schema that is compiled, as JSON text. A longer one is not used. */
const MAX_SCHEMA_LENGTH = 128 * 1024;
/** Longest that compiling a schema may take, or one check by a schema that is not simple, ms. */
const MAX_MS = 250;

/** Says what is wrong with a value; `undefined`: nothing is. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** Stands for every regular expression of a schema: none is evaluated, for it may be made to hang, and so each counts as met. */
const MET = { test: () => true };
const metByAll = Object.assign(() => MET, { code: 'metByAll' });

/**
 * The check for one schema; `undefined` for one that cannot be used here. `subject`: what to call the whole value. Never throws.
 * Nothing is fetched: a `$ref` to elsewhere makes the schema unusable.
 */
export function compileSchema(schema: unknown, subject: string): SchemaCheck | undefined {
  try {
    if (typeof schema !== 'object' || schema === null || JSON.stringify(schema).length > MAX_SCHEMA_LENGTH)
      return undefined;
    const { $schema: _dialect, $id: _id, ...body } = schema as Record<string, unknown>;
    if (isSimple(body)) return checkBy(compiler().compile(body), subject);
    const validate = runBounded(MAX_MS, () => compiler().compile(body));
    return unlessItHangs(checkBy(validate, subject));
  } catch {
    return undefined;
  }
}

/** A compiler for one schema: it would keep each for ever, and one could name another by its `$id`. */
function compiler(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: false,
    validateFormats: false,
    validateSchema: false,
    meta: false,
    logger: false,
    inlineRefs: false,
    code: { regExp: metByAll },
  });
  ajv.removeKeyword('pattern');
  ajv.removeKeyword('patternProperties');
  // Which members a pattern would have met is not known: none of them is one that the schema does not speak of.
  return ajv.addKeyword({
    keyword: 'patternProperties',
    type: 'object',
    before: 'unevaluatedProperties',
    code: ({ it }) => {
      it.props = true;
    },
  });
}

function checkBy(validate: ValidateFunction, subject: string): SchemaCheck {
  return (value) => {
    if (validate(value)) return undefined;
    const { instancePath, message, params } = validate.errors?.[0] ?? {};
    const extra = (params as { additionalProperty?: string } | undefined)?.additionalProperty;
    const where = instancePath === undefined || instancePath === '' ? subject : instancePath;
    return `${where} ${extra === undefined ? message : `${message} (${extra})`}`;
  };
}

/** The same check, until it takes too long for the first time, or refers to itself without end. */
function unlessItHangs(check: SchemaCheck): SchemaCheck {
  let isUsable = true;
  return (value) => {
    if (!isUsable) return undefined;
    try {
      return runBounded(MAX_MS, () => check(value));
    } catch {
      isUsable = false;
      return undefined;
    }
  };
}
