/** Owns event streams that break off after they named an event id, and the answers that wait for the client to come back. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventOf, openStream, sendRpcError } from './http-replies.ts';

const RETRY_MS = 20;

/** Streams by the event id that the client was given. */
export class ResumableStreams {
  readonly #answers = new Map<string, PromiseWithResolvers<Record<string, unknown> | undefined>>();

  /** Sends the priming event. Returns the function that takes the answer which a client that comes back is to get. */
  prime(
    response: ServerResponse,
    { resume = true, retryMs = RETRY_MS }: { readonly resume?: boolean; readonly retryMs?: number },
  ): (message: Record<string, unknown>) => void {
    const id = randomUUID();
    const answer = Promise.withResolvers<Record<string, unknown> | undefined>();
    this.#answers.set(id, answer);
    response.write(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`);
    return (message) => answer.resolve(resume ? message : undefined);
  }

  /** Whether the request wants to go on with one of these streams. */
  wants(request: IncomingMessage): boolean {
    return request.method === 'GET' && this.#answers.has(lastEventId(request));
  }

  /** Gives the client that came back its answer, or refuses it. */
  async resume(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = await this.#answers.get(lastEventId(request))?.promise;
    if (message === undefined) {
      sendRpcError(response, 400, -32000, 'This stream cannot be resumed');
      return;
    }
    openStream(response);
    response.end(eventOf(message, randomUUID()));
  }
}

function lastEventId({ headers }: IncomingMessage): string {
  return String(headers['last-event-id']);
}
