/** Makes one request to the shop's HTTP API and tells its news: progress as it comes, then the answer or the problem. */
import type { ExecuteResponse, ProblemDetails } from '@mcp-tx/core/http';
import type { CallNews, Request, Step } from './call.ts';

/** Sends a request. Whatever breaks on the way is news, too. */
export async function* callStream(request: Request, signal: AbortSignal): AsyncGenerator<CallNews, void> {
  try {
    const response = await fetch(`/api/${request.server}/execute/${encodeURIComponent(request.tool)}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream, application/json',
        ...(request.key === undefined ? {} : { 'idempotency-key': JSON.stringify(request.key) }),
      },
      body: JSON.stringify({ arguments: request.arguments }),
      signal,
    });
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true || response.body === null) {
      yield response.ok
        ? { news: 'answer', answer: (await response.json()) as ExecuteResponse }
        : { news: 'problem', problem: (await response.json()) as ProblemDetails };
      return;
    }
    yield { news: 'begun' };
    let isOver = false;
    for await (const { event, data } of eventsIn(response.body)) {
      const news = newsOf(event, data);
      isOver ||= news?.news === 'answer' || news?.news === 'problem';
      if (news !== undefined) yield news;
    }
    if (!isOver) yield { news: 'line-broken' };
  } catch {
    yield { news: 'line-broken' };
  }
}

/** One server-sent event. */
interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** Reads server-sent events: blocks of `event:` and `data:` lines, ended by an empty one. Comments are no events. */
export async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = '';
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += read.value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = eventIn(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventIn(block: string): ServerEvent | undefined {
  const lines = block.split('\n');
  const valuesOf = (field: string) =>
    lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trimStart());
  const data = valuesOf('data');
  return data.length === 0 ? undefined : { event: valuesOf('event')[0] ?? 'message', data: data.join('\n') };
}

function newsOf(event: string, data: string): CallNews | undefined {
  switch (event) {
    case 'progress':
      return { news: 'step', step: JSON.parse(data) as Step };
    case 'result':
      return { news: 'answer', answer: JSON.parse(data) as ExecuteResponse };
    case 'problem':
      return { news: 'problem', problem: JSON.parse(data) as ProblemDetails };
    default:
      return undefined;
  }
}
