/** What the page knows of one call, and how news changes that. */
import type { ExecuteResponse, ProblemDetails } from '@mcp-tx/core/http';
import type { ShopServer } from 'shop';

/** What a person asked for. Everything in it survives a reload. */
export interface Request {
  readonly server: ShopServer;
  readonly tool: string;
  readonly title: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The idempotency key; a tool that only reads has none. */
  readonly key?: string;
}

/** How far a tool is. */
export interface Step {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** How a call stands. `waiting`: the line is broken or somebody else drives the operation, and the same request is made again. */
export type CallState =
  | { readonly is: 'sending' }
  | { readonly is: 'running'; readonly step?: Step }
  | { readonly is: 'waiting'; readonly why: 'line-broken' | 'in-progress' }
  | { readonly is: 'answered'; readonly answer: ExecuteResponse }
  | { readonly is: 'problem'; readonly problem: ProblemDetails }
  | { readonly is: 'broken-off' };

/** One press of the button. */
export interface Call {
  /** Counted from 1, in the order of the presses. */
  readonly number: number;
  readonly request: Request;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** It was taken up again after the page was loaded anew. */
  readonly resumed?: true;
  /** What a person has said about it, once it was in doubt. */
  readonly verdict?: { readonly happened: boolean; readonly reason: string };
  readonly state: CallState;
}

/** News of one call. */
export type CallNews =
  | { readonly news: 'step'; readonly step: Step }
  | { readonly news: 'begun' }
  | { readonly news: 'answer'; readonly answer: ExecuteResponse }
  | { readonly news: 'problem'; readonly problem: ProblemDetails }
  | { readonly news: 'line-broken' };

/** Whether nothing more will come. */
export function hasEnded({ state }: Call): boolean {
  return state.is === 'answered' || state.is === 'problem' || state.is === 'broken-off';
}

/** A call after news of it. */
export function afterNews(call: Call, news: CallNews, now: number): Call {
  switch (news.news) {
    case 'begun':
      return { ...call, state: { is: 'running' } };
    case 'step':
      return { ...call, state: { is: 'running', step: news.step } };
    case 'answer':
      return { ...call, endedAt: now, state: { is: 'answered', answer: news.answer } };
    case 'problem':
      if (news.problem.code === 'IN_PROGRESS') return { ...call, state: { is: 'waiting', why: 'in-progress' } };
      return { ...call, endedAt: now, state: { is: 'problem', problem: news.problem } };
    case 'line-broken':
      if (call.request.key === undefined) return { ...call, endedAt: now, state: { is: 'broken-off' } };
      return { ...call, state: { is: 'waiting', why: 'line-broken' } };
  }
}

/** A call that was kept over a reload. Only one with a key can be taken up again: the key finds the operation. */
export function afterReload(call: Call, now: number): Call {
  if (hasEnded(call)) return call;
  if (call.request.key === undefined) return { ...call, endedAt: now, state: { is: 'broken-off' } };
  return { ...call, resumed: true, state: { is: 'sending' } };
}
