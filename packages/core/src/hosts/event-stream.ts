/** Tells a call as it goes, as server-sent events: progress, then the result or the problem. */
import type { Progress } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { sleep } from '../runtime/clock.ts';
import type { KernelResponse } from './http-message.ts';

/** Least distance of two progress events, ms: of a flood only the latest one is told. */
const PROGRESS_MS = 50;
/** After so long a silence a comment keeps the connection open, ms. */
const SILENCE_MS = 15_000;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no', // nginx would hold the events back
  'x-content-type-options': 'nosniff',
} as const;

/** Begins `call`, and gives the response that tells of it. The call does not depend on anybody reading. */
export function eventStream(
  clock: Clock,
  call: (onProgress: (progress: Progress) => void) => Promise<KernelResponse>,
): KernelResponse {
  const news = new News();
  const answering = call((progress) => news.progressed(progress)).then((answer) => news.ended(answer));
  answering.catch(() => undefined); // `call` answers every error itself
  return { status: 200, headers: HEADERS, body: tell(news, clock) };
}

/** What there is to tell and has not been told. */
class News {
  progress: Progress | undefined;
  answer: KernelResponse | undefined;
  #wake: () => void = () => undefined;

  progressed(progress: Progress): void {
    this.progress = progress;
    this.#wake();
  }

  ended(answer: KernelResponse): void {
    this.answer = answer;
    this.#wake();
  }

  /** Waits for the end, and for progress if that is wanted, but no longer than `ms`. */
  async next(clock: Clock, ms: number, wanted: 'progress' | 'end', gone: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const look = (): void => {
      if (this.answer !== undefined || (wanted === 'progress' && this.progress !== undefined)) stop.abort();
    };
    this.#wake = look;
    look();
    const signal = AbortSignal.any([stop.signal, gone]);
    await sleep(clock, ms, signal);
    this.#wake = () => undefined;
  }
}

async function* tell(news: News, clock: Clock): AsyncGenerator<string, void> {
  const gone = new AbortController();
  try {
    yield ': begun\n\n'; // sends the headers
    while (news.answer === undefined) {
      const { progress } = news;
      news.progress = undefined;
      if (progress === undefined) {
        await news.next(clock, SILENCE_MS, 'progress', gone.signal);
        if (news.answer === undefined && news.progress === undefined) yield ': still at work\n\n';
      } else {
        yield event('progress', JSON.stringify(progress));
        await news.next(clock, PROGRESS_MS, 'end', gone.signal);
      }
    }
    const { status, body } = news.answer;
    yield event(status < 400 ? 'result' : 'problem', body as string);
  } finally {
    gone.abort();
  }
}

function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
