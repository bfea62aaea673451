/** Puts how a call stands into plain words: what is known, and what nobody knows. */
import type { Call, CallState } from './call.ts';

/** The word on the badge, and how it looks. */
export interface Badge {
  readonly word: string;
  readonly look: 'busy' | 'good' | 'plain' | 'bad' | 'doubt';
}

type Ended<Is extends CallState['is']> = Extract<CallState, { readonly is: Is }>;

/** The badge of a call. */
export function badgeOf({ state, verdict }: Call): Badge {
  switch (state.is) {
    case 'sending':
    case 'running':
      return { word: 'Running', look: 'busy' };
    case 'waiting':
      return { word: 'Waiting', look: 'busy' };
    case 'answered':
      if (state.answer.result.isError === true) return { word: 'Refused', look: 'bad' };
      return state.answer.meta.duplicate ? { word: 'Already done', look: 'plain' } : { word: 'Done', look: 'good' };
    case 'problem':
      if (state.problem.execution === 'unknown') {
        if (verdict !== undefined) return { word: 'Resolved', look: 'plain' };
        return { word: 'In doubt', look: 'doubt' };
      }
      return { word: state.problem.execution === 'done' ? 'Ran, no answer' : 'Not done', look: 'bad' };
    case 'broken-off':
      return { word: 'Broken off', look: 'plain' };
  }
}

/** One or two sentences. */
export function sayCall(call: Call): string {
  const { state, request, resumed } = call;
  switch (state.is) {
    case 'sending':
      return resumed ? 'Taken up again after the page was loaded anew, with the same key.' : 'On its way.';
    case 'running':
      return `${state.step?.message ?? 'The tool is at work'}.`;
    case 'waiting':
      return state.why === 'line-broken'
        ? 'The line broke. The same request is made again with the same key; that cannot do it twice.'
        : 'Another request with this key is at work. Waiting for its answer.';
    case 'answered':
      return sayAnswer(call, state.answer);
    case 'problem':
      return sayProblem(call, state.problem);
    case 'broken-off':
      return `The line broke, and no answer came. ${request.title} only reads: run it again.`;
  }
}

function sayAnswer({ request }: Call, { result, meta }: Ended<'answered'>['answer']): string {
  if (result.isError === true) return 'The tool ran and said no. It will say the same to this key again.';
  if (request.key === undefined) return meta.attempts > 1 ? `Read, after ${meta.attempts} attempts.` : 'Read.';
  if (meta.resolvedBy !== undefined) return `It happened: ${meta.resolvedBy} says so. Nothing ran this time.`;
  if (meta.duplicate) return 'Nothing ran this time: this is the answer of an earlier press.';
  return 'It ran once.';
}

function sayProblem({ request, verdict }: Call, problem: Ended<'problem'>['problem']): string {
  if (verdict !== undefined)
    return `You said that it ${verdict.happened ? 'happened' : 'did not happen'}: “${verdict.reason}”. That is on record.`;
  if (problem.execution === 'unknown')
    return `Nobody knows whether it happened: it was sent, and ${request.server} gave no answer. It will not be sent again.`;
  if (problem.execution === 'done') return 'The tool ran, but its answer cannot be used.';
  const why = problem.detail ?? problem.title;
  return `${why.replace(/\.?$/, '.')} Nothing was done.${problem.retryable ? ' You can press again.' : ''}`;
}
