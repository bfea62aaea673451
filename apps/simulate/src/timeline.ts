// Tells a history so that a person can read it: one line for each thing that was seen.
import type { History, Seen } from './world/history.ts';

/** The history as text, ms of virtual time first. */
export function timeline({ events }: History): string {
  return events.map((event) => `${event.at.toFixed(1).padStart(9)}  ${line(event)}`).join('\n');
}

function line(event: Seen): string {
  switch (event.what) {
    case 'call': {
      const { intent } = event;
      const key = intent.key === undefined ? 'no key' : `${intent.scope}/${intent.key}`;
      const more = `${event.onAbort === 'cancel' ? ', abort cancels' : ''}${event.ifBusy === 'fail' ? ', fails if busy' : ''}`;
      return `${event.process}: call ${event.call} of ${intent.tool} (${event.op}, ${key}, v${event.variant}), ${event.timeoutMs} ms${more}`;
    }
    case 'answer': {
      const told = event.ok
        ? event.result
        : `${event.code}, execution ${event.execution}${event.retryable ? ', retryable' : ''}`;
      return `call ${event.call} <- ${told}${event.recorded ? ', recorded' : ''}${event.duplicate ? ', duplicate' : ''}`;
    }
    case 'send':
      return `${event.process}: send #${event.message} of ${event.op} (${event.tool} v${event.variant}), attempt ${event.attempt}`;
    case 'end':
      return `${event.process}: #${event.message} ends: ${event.says}`;
    case 'store': {
      const lease = event.fence === undefined ? '' : ` fence ${event.fence}`;
      return `${event.process}: store.${event.method} ${event.operationId?.slice(0, 9) ?? ''}${lease} -> ${event.answer}`;
    }
    case 'abort':
      return `call ${event.call} is aborted by its caller`;
    case 'cancel':
      return `#${event.message} is cancelled`;
    case 'arrive':
      return `server: #${event.message} arrives${event.doubled ? ' again' : ''}`;
    case 'effect':
      return `server: EFFECT of #${event.message} (${event.op}), run ${event.run}`;
    case 'pause':
      return `${event.process} is paused until ${event.until}`;
    case 'gone':
      return `${event.process} is ${event.how}`;
    case 'amnesia':
      return `store forgets writes about ${event.operationIds.join(', ')}`;
    case 'resolve':
      return `${event.operationId.slice(0, 9)} is resolved as ${event.outcome} by ${event.by}`;
    case 'fault':
      return `! ${event.kind}: ${event.says}`;
    case 'healed':
      return 'the faults stop';
  }
}
