/** The same handler with streamed answers, where the runtime has them: progress reaches the client as it comes. */
import type { LambdaContext, LambdaEvent } from './events.ts';
import { toRequest } from './events.ts';
import type { LambdaHandlerOptions } from './lambda-handler.ts';
import { lambdaKernel, withRemaining, withTime } from './lambda-handler.ts';

/** What Lambda's runtime for Node gives a streaming handler. */
interface ResponseStream {
  write(text: string): boolean;
  end(): void;
  once(event: 'drain', listener: () => void): unknown;
}

/** The runtime's own global, as far as it is used. */
interface AwsLambda {
  streamifyResponse(
    handler: (event: LambdaEvent, stream: ResponseStream, context: LambdaContext) => Promise<void>,
  ): unknown;
  readonly HttpResponseStream: {
    from(
      stream: ResponseStream,
      head: { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> },
    ): ResponseStream;
  };
}

/**
 * Makes a streaming handler, for function URLs with `RESPONSE_STREAM`. Direct events are not for it.
 *
 * @throws Error where the runtime has no streams
 */
export function createStreamingHandler(options: LambdaHandlerOptions): unknown {
  const runtime = (globalThis as { readonly awslambda?: AwsLambda }).awslambda;
  if (typeof runtime?.streamifyResponse !== 'function')
    throw new Error('createStreamingHandler: this runtime has no awslambda.streamifyResponse; use createLambdaHandler');
  const kernel = lambdaKernel(options);
  return runtime.streamifyResponse(async (event, raw, context) => {
    const request = toRequest(event, options.mount) ?? { method: 'GET', path: '/', headers: {} };
    const { status, headers, body } = await kernel.handle(withTime(request, context, options));
    const stream = runtime.HttpResponseStream.from(raw, {
      statusCode: status,
      headers: withRemaining(headers, context),
    });
    if (typeof body === 'string') stream.write(request.method === 'HEAD' ? '' : body);
    else for await (const text of body) await written(stream, text);
    stream.end();
  });
}

function written(stream: ResponseStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (stream.write(text)) resolve();
    else stream.once('drain', resolve);
  });
}
