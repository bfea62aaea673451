/** A handler for API Gateway, function URLs and direct invocations: the remaining time is the deadline. */
import type { HttpKernel, HttpKernelOptions, KernelRequest, KernelResponse } from '@mcp-tx/core/http';
import { createHttpKernel, HttpError, lazyClient, toProblem } from '@mcp-tx/core/http';
import type { DirectResult } from './direct-event.ts';
import { directProblem, directRequest, directResult } from './direct-event.ts';
import type { DirectEvent, LambdaContext, LambdaEvent, LambdaHttpResult } from './events.ts';
import { toRequest } from './events.ts';

/** Options of {@link createLambdaHandler}. */
export interface LambdaHandlerOptions extends HttpKernelOptions<LambdaEvent> {
  /** Kept back from the remaining time for the answer itself, ms. Default 500. */
  readonly marginMs?: number;
  /** Path that the API's routes follow. Default: whatever stands before the last route in the path. */
  readonly mount?: string;
  /** An instance idle for longer gives a sign of life first: the function may have been frozen meanwhile, ms. Default 30,000. */
  readonly checkIfIdleMs?: number;
}

/** A handler of Lambda's. */
export type LambdaHandler = (event: LambdaEvent, context: LambdaContext) => Promise<LambdaHttpResult | DirectResult>;

/** Less than this is too little to begin anything, ms. */
const LEAST_MS = 50;

/**
 * Makes a handler. The instance is made at the first invocation and kept for the next ones; give a function as `client`, so that one
 * that does not come back after a freeze is made anew.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function createLambdaHandler(options: LambdaHandlerOptions): LambdaHandler {
  const kernel = lambdaKernel(options);
  return async (event, context) => {
    const request = toRequest(event, options.mount);
    if (request === undefined) return answerDirect(kernel, event, context, options);
    const { status, headers, body } = await kernel.handle(withTime(request, context, options));
    const text = request.method === 'HEAD' ? '' : await textOf(body);
    return { statusCode: status, headers: withRemaining(headers, context), body: text, isBase64Encoded: false };
  };
}

/** The kernel of a function: its defaults, and every host name, for those are API Gateway's business. */
export function lambdaKernel(options: LambdaHandlerOptions): HttpKernel<LambdaEvent> {
  const { checkIfIdleMs = 30_000, client } = options;
  return createHttpKernel<LambdaEvent>({
    hosts: '*',
    ...options,
    client: typeof client === 'function' ? lazyClient(client, { checkIfIdleMs }) : client,
  });
}

/** The request with the time that it has. */
export function withTime(
  request: KernelRequest<LambdaEvent>,
  context: LambdaContext,
  { marginMs = 500 }: Pick<LambdaHandlerOptions, 'marginMs'>,
): KernelRequest<LambdaEvent> {
  const leftMs = context.getRemainingTimeInMillis() - marginMs;
  return { ...request, maxMs: leftMs < LEAST_MS ? 0 : leftMs };
}

/** The headers with the time that is left. */
export function withRemaining(
  headers: KernelResponse['headers'],
  context: LambdaContext,
): Readonly<Record<string, string>> {
  return { ...headers, 'mcp-tx-remaining-ms': String(Math.max(0, Math.floor(context.getRemainingTimeInMillis()))) };
}

async function answerDirect(
  kernel: HttpKernel<LambdaEvent>,
  event: LambdaEvent,
  context: LambdaContext,
  options: LambdaHandlerOptions,
): Promise<DirectResult> {
  const request = typeof event === 'object' && event !== null ? directRequest(event as DirectEvent) : undefined;
  const remaining = (): number => Math.floor(context.getRemainingTimeInMillis());
  if (request === undefined) {
    const missing = new HttpError('REQUEST_INVALID', 'the event must have tool_name, or be one of API Gateway');
    return directProblem(toProblem(missing, options.problemBase), remaining());
  }
  return directResult(await kernel.handle(withTime(request, context, options)), remaining());
}

/** Without a stream, events come all at once. */
async function textOf(body: KernelResponse['body']): Promise<string> {
  if (typeof body === 'string') return body;
  let text = '';
  for await (const part of body) text += part;
  return text;
}
