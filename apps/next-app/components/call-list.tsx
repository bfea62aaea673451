/** The calls of this tab, newest first, and what a screen reader is told when one of them ends. */
'use client';

import type { ReactElement } from 'react';
import { useSyncExternalStore } from 'react';
import type { Call } from '../lib/call.ts';
import { hasEnded } from '../lib/call.ts';
import { currentCalls, forgetEnded, noCalls, subscribe } from '../lib/call-store.ts';
import { badgeOf, sayCall } from '../lib/say-call.ts';
import { CallCard } from './call-card.tsx';

/** The list. */
export function CallList(): ReactElement {
  const calls = useSyncExternalStore(subscribe, currentCalls, noCalls);
  return (
    <section className="calls" aria-labelledby="calls-title">
      <div className="heading">
        <h2 id="calls-title">Calls</h2>
        {calls.some(hasEnded) && (
          <button type="button" className="link" onClick={forgetEnded}>
            Clear the list
          </button>
        )}
      </div>
      <p role="status" className="for-readers">
        {announcement(calls)}
      </p>
      {calls.length === 0 && (
        <p className="empty">Nothing yet. Press the button, then press it again: the order is charged once.</p>
      )}
      <ol>
        {calls.map((call) => (
          <li key={call.number}>
            <CallCard call={call} earlier={earlierWith(call, calls)} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What has ended last, in words; else that something has begun. */
function announcement(calls: readonly Call[]): string {
  const [last] = calls.filter(hasEnded).sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0));
  const [newest] = calls;
  if (newest !== undefined && !hasEnded(newest))
    return `Call ${newest.number}, ${newest.request.title}: ${badgeOf(newest).word}`;
  return last === undefined
    ? ''
    : `Call ${last.number}, ${last.request.title}: ${badgeOf(last).word}. ${sayCall(last)}`;
}

/** The first press with the same key: what makes this one a repeat of it. */
function earlierWith(call: Call, calls: readonly Call[]): number | undefined {
  const { key } = call.request;
  if (key === undefined) return undefined;
  return calls.findLast(({ number, request }) => request.key === key && number < call.number)?.number;
}
