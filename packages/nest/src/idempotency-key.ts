/** Takes the Idempotency-Key header of a request, in both its forms. */
import type { IncomingMessage } from 'node:http';
import { HttpError, parseIdempotencyKey } from '@mcp-tx/core/http';
import type { ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';

/** How to take it. */
export interface IdempotencyKeyOptions {
  /** Refuse a request without a key. Default `false`: the parameter is then `undefined`. */
  readonly required?: boolean;
  /** Only the quoted form of draft-ietf-httpapi-idempotency-key-header-07. Default `false`. */
  readonly strict?: boolean;
}

/**
 * The key of a request, as a parameter of a handler. Throws McpTxError `KEY_INVALID` for a header that is no key and HttpError
 * `KEY_REQUIRED` for a missing one, which `McpTxExceptionFilter` answers with 400.
 */
export const IdempotencyKey: (options?: IdempotencyKeyOptions) => ParameterDecorator = createParamDecorator(
  (options: IdempotencyKeyOptions | undefined, context: ExecutionContext): string | undefined => {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    const key = parseIdempotencyKey(headers['idempotency-key'], { strict: options?.strict ?? false });
    if (key === undefined && options?.required === true) throw new HttpError('KEY_REQUIRED');
    return key;
  },
);
