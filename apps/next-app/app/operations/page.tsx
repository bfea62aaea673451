/** What the ledger knows of the payments: every operation, newest first. */
import type { OperationState } from '@mcp-tx/core';
import type { Metadata } from 'next';
import type { ReactElement } from 'react';
import { payments } from '../../lib/shop.ts';

export const dynamic = 'force-dynamic';
export const metadata: Metadata = { title: 'Operations' };

const STATES: Readonly<Record<OperationState, readonly [string, string]>> = {
  claimed: ['Nothing sent', 'plain'],
  sent: ['Under way', 'busy'],
  completed: ['Done', 'good'],
  failed: ['Not done', 'bad'],
  in_doubt: ['In doubt', 'doubt'],
};

/** Whose word it is when nobody has resolved it. */
const ENDED_BY: Readonly<Record<OperationState, string>> = {
  claimed: '—',
  sent: '—',
  completed: 'the server’s answer',
  failed: 'the server’s answer',
  in_doubt: 'nobody yet',
};

export default async function OperationsPage(): Promise<ReactElement> {
  const tx = await payments();
  const { records } = await tx.listOperations({ serverName: 'payments', tool: 'charge', limit: 50 });
  return (
    <>
      <h2>Charges in the ledger</h2>
      {records.length === 0 ? (
        <p className="empty">None yet.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className="scroll" tabIndex={0} aria-label="Table of charges">
          <table>
            <thead>
              <tr>
                {['Key', 'State', 'Sends', 'Begun', 'Ended by', 'Operation'].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {records.map(({ operationId, idempotencyKey, state, attempts, createdAt, resolvedBy }) => (
                <tr key={operationId}>
                  <th scope="row">{idempotencyKey ?? '—'}</th>
                  <td>
                    <span className={`badge ${STATES[state][1]}`}>{STATES[state][0]}</span>
                  </td>
                  <td>{attempts}</td>
                  <td>
                    <time dateTime={new Date(createdAt).toISOString()}>{clockTime(createdAt)}</time>
                  </td>
                  <td>{resolvedBy ?? ENDED_BY[state]}</td>
                  <td>
                    <code>{operationId}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function clockTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
