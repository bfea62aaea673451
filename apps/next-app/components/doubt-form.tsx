/** What a person does about doubt: ask the server what it has, then say what happened, on record. */
'use client';

import type { FormEvent, ReactElement } from 'react';
import { useState, useTransition } from 'react';
import { endDoubt } from '../app/actions.ts';
import type { Call } from '../lib/call.ts';
import { noteVerdict, startCall } from '../lib/call-store.ts';

/** The form. */
export function DoubtForm({ call, operationId }: { readonly call: Call; readonly operationId: string }): ReactElement {
  const [failure, setFailure] = useState<string>();
  const [isSaving, startSaving] = useTransition();
  const { orderId } = call.request.arguments;
  const look = (): void =>
    startCall({
      server: 'payments',
      tool: 'list_charges',
      title: 'List the charges of an order',
      arguments: { orderId },
    });
  const save = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const verdict = { happened: data.get('happened') === 'yes', reason: String(data.get('reason')) };
    startSaving(async () => {
      const answer = await endDoubt(operationId, verdict.happened, verdict.reason);
      if (answer.ok) noteVerdict(call.number, verdict);
      else setFailure(answer.problem.detail ?? answer.problem.title);
    });
  };
  return (
    <form className="doubt" onSubmit={save} aria-label={`End the doubt about call ${call.number}`}>
      <p>
        <button type="button" onClick={look}>
          Ask {call.request.server} for the charges of {String(orderId)}
        </button>
      </p>
      <fieldset>
        <legend>What happened?</legend>
        <label>
          <input type="radio" name="happened" value="yes" required /> It was charged
        </label>
        <label>
          <input type="radio" name="happened" value="no" /> It was not charged
        </label>
      </fieldset>
      <label className="field">
        How do you know?
        <input name="reason" required maxLength={200} autoComplete="off" />
      </label>
      <button type="submit" disabled={isSaving}>
        Put it on record
      </button>
      {failure !== undefined && <p role="alert">{failure}</p>}
    </form>
  );
}
