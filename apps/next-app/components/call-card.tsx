/** Shows one call: how it stands in words, how far it is, what came back, and what is known of it. */
import type { ExecuteResponse } from '@mcp-tx/core/http';
import type { ReactElement } from 'react';
import type { Call } from '../lib/call.ts';
import { hasEnded } from '../lib/call.ts';
import { badgeOf, sayCall } from '../lib/say-call.ts';
import { DoubtForm } from './doubt-form.tsx';

/** The card. `earlier` is the first call with the same key. */
export function CallCard({
  call,
  earlier,
}: {
  readonly call: Call;
  readonly earlier: number | undefined;
}): ReactElement {
  const { request, state, number } = call;
  const { word, look } = badgeOf(call);
  const isInDoubt = state.is === 'problem' && state.problem.execution === 'unknown' && call.verdict === undefined;
  return (
    <article className={`call ${look}`} aria-labelledby={`call-${number}`}>
      <header>
        <h3 id={`call-${number}`}>
          <span className="number">{number}</span> {request.title}
        </h3>
        <span className={`badge ${look}`}>{word}</span>
      </header>
      <p className="arguments">
        {Object.entries(request.arguments).map(([name, value]) => (
          <code key={name}>
            {name}: {String(value)}
          </code>
        ))}
      </p>
      <p>{sayCall(call)}</p>
      {earlier !== undefined && <p className="quiet">The same key as call {earlier}, so the same operation.</p>}
      {!hasEnded(call) && <Steps call={call} />}
      {state.is === 'answered' && <ResultText result={state.answer.result} number={number} />}
      {isInDoubt && <DoubtForm call={call} operationId={state.problem.operationId ?? ''} />}
      <Facts call={call} />
    </article>
  );
}

function Steps({ call: { state, number } }: { readonly call: Call }): ReactElement {
  const step = state.is === 'running' ? state.step : undefined;
  const label = `Progress of call ${number}`;
  if (step?.total === undefined) return <progress aria-label={label} />;
  return <progress aria-label={label} value={step.progress + 0.5} max={step.total} />;
}

function ResultText({
  result,
  number,
}: {
  readonly result: ExecuteResponse['result'];
  readonly number: number;
}): ReactElement {
  const blocks = (Array.isArray(result.content) ? result.content : []) as readonly { readonly text?: string }[];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="result" tabIndex={0} aria-label={`Result of call ${number}`}>
      <pre>{blocks.map(({ text = '' }) => pretty(text)).join('\n')}</pre>
    </section>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text.trimEnd();
  }
}

function Facts({ call }: { readonly call: Call }): ReactElement {
  return (
    <dl className="facts">
      {factsOf(call).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf({ request, state, startedAt, endedAt }: Call): readonly (readonly [string, string])[] {
  const known: (readonly [string, string])[] = request.key === undefined ? [] : [['Key', request.key]];
  if (state.is === 'answered') {
    const { attempts, guarantee, operationId } = state.answer.meta;
    known.push(['Attempts', String(attempts)], ['Guarantee', guarantee], ['Operation', operationId]);
  }
  if (state.is === 'problem') {
    const { attempts, code, operationId } = state.problem;
    known.push(['Attempts', String(attempts)], ['Code', code]);
    if (operationId !== undefined) known.push(['Operation', operationId]);
  }
  if (endedAt !== undefined) known.push(['Took', duration(endedAt - startedAt)]);
  return known;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
