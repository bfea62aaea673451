/** A ledger, a server and a clock for races: what they say comes when the scheduler comes to it, and may get lost on the way. */
import type { Scheduler } from 'fast-check';
import type { Random, SendRequest, ServerSource, Timer, VirtualClock } from '../../src/index.ts';
import { McpTxError, serverSource, virtualClock } from '../../src/index.ts';
import type { Claim, ClaimRequest, Ledger, LedgerReader } from '../../src/ledger.ts';
import { overrideLedger } from './override-ledger.ts';
import { turn } from './race.ts';

/** What happens to one request to the ledger, or to its reply. */
export type LedgerFault = 'none' | 'lost-request' | 'lost-reply';

/** The ledger's methods, each in two turns: the request arrives, the reply arrives. */
export function ledgerInTurn(
  ledger: Ledger & LedgerReader,
  scheduler: Scheduler,
  faults: LedgerFault[],
  onClaim: (claim: Claim, request: ClaimRequest) => void,
): Ledger & LedgerReader {
  const slowly = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const fault = faults.shift() ?? 'none';
    await turn(scheduler, `${name} reaches the ledger`);
    if (fault === 'lost-request') throw new McpTxError('LEDGER_UNAVAILABLE', 'the request was lost');
    const reply = await act();
    await turn(scheduler, `the ledger answers ${name}`);
    if (fault === 'lost-reply') throw new McpTxError('LEDGER_UNAVAILABLE', 'the reply was lost');
    return reply;
  };
  return overrideLedger(ledger, {
    claim: (request) =>
      slowly('claim', async () => {
        const claim = await ledger.claim(request);
        onClaim(claim, request);
        return claim;
      }),
    markSent: (...all) => slowly('markSent', () => ledger.markSent(...all)),
    renewAll: (...all) => slowly('renewAll', () => ledger.renewAll(...all)),
    release: (...all) => slowly('release', () => ledger.release(...all)),
    settle: (...all) => slowly('settle', async () => ledger.settle(...all)),
    resolve: (...all) => slowly('resolve', () => ledger.resolve(...all)),
    find: (...all) => slowly('find', () => ledger.find(...all)),
  });
}

/** Told of everything that leaves for the server, before it leaves. */
export interface ServerWatch {
  readonly onSend: (request: SendRequest) => void;
  readonly onCancel: (reason: string) => void;
}

/** Notes each send that leaves without the ledger knowing of it, or without a live lease of the sender. */
export class LeaseWatch {
  readonly offences: string[] = [];
  readonly #ledger: Ledger;
  readonly #clock: VirtualClock;

  readonly #mayRepeat: boolean;

  constructor(ledger: Ledger, clock: VirtualClock, mayRepeat: boolean) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#mayRepeat = mayRepeat;
  }

  look({ identity }: SendRequest): void {
    const { operationId, requestId, attempt } = identity;
    const now = this.#clock.now();
    void this.#ledger.find(operationId).then((record) => {
      if (record?.outcome !== undefined && this.#mayRepeat) return; // a former owner's answer came a moment ago
      const isMarked = record?.state === 'sent' && record.attempts === attempt && record.requestId === requestId;
      if (!isMarked || record.leaseUntil < now) this.offences.push(`send ${attempt} of ${requestId}`);
    });
  }
}

/** The server, on a clock of its own, whose answers arrive in their turn. */
export function serverInTurn(
  source: ServerSource,
  scheduler: Scheduler,
  clock: VirtualClock,
  watch: ServerWatch,
): ServerSource {
  return serverSource((context) => {
    const inner = source.open({ ...context, clock });
    return new Proxy(inner, {
      get(target, name) {
        if (name !== 'send') return Reflect.get(target, name) as unknown;
        return (request: Parameters<typeof inner.send>[0]): ReturnType<typeof inner.send> => {
          watch.onSend(request);
          const sending = inner.send(request);
          const ended = sending.ended.then(async (seen) => {
            await turn(scheduler, `the answer to send ${request.identity.attempt} arrives`);
            return seen;
          });
          const cancel = (reason: string): void => {
            watch.onCancel(reason);
            sending.cancel(reason);
          };
          return { ...sending, ended, cancel };
        };
      },
    });
  });
}

/** A virtual clock that knows how many timers would keep a process alive. */
export interface HoldingClock extends VirtualClock {
  readonly holding: number;
  /** The same time, for what is no part of the process. */
  readonly outside: VirtualClock;
}

export function holdingClock(): HoldingClock {
  const clock = virtualClock();
  const holding = new Set<object>();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    outside: clock,
    advance: (ms) => clock.advance(ms),
    settle: () => clock.settle(),
    get pending() {
      return clock.pending;
    },
    get holding() {
      return holding.size;
    },
    timer(delayMs, wake, options): Timer {
      const inner = clock.timer(delayMs, () => {
        holding.delete(timer);
        wake();
      });
      const timer: Timer = {
        cancel() {
          holding.delete(timer);
          inner.cancel();
        },
        hold: (alive) => void (alive ? holding.add(timer) : holding.delete(timer)),
      };
      if (options?.background !== true) holding.add(timer);
      return timer;
    },
  };
}

/** Ids that count up, and no jitter: the same script gives the same run. */
export function evenRandom(prefix: string): Random {
  let count = 0;
  return {
    next: () => 0.5,
    id: () => {
      count += 1;
      return prefix + String(count).padStart(12 - prefix.length, '2'); // short enough to be an owner's token as a whole
    },
  };
}
