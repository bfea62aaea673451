// The store that all processes share: the real memory ledger behind a wire, with outages, lost answers and lost writes.
import type { Claim, ClaimRequest, Lease, Ledger, LedgerReader, Swept } from '@mcp-tx/core/ledger';
import { McpTxError, memoryLedger } from '@mcp-tx/core/ledger';
import { ANY } from './history.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

type Store = Ledger & LedgerReader;
type Method = Exclude<keyof Store, 'durability' | 'shared'>;

interface Applied {
  readonly storeAt: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

const WRITES: ReadonlySet<string> = new Set([
  'claim',
  'markSent',
  'renewAll',
  'release',
  'settle',
  'resolve',
  'sweep',
  'purge',
]);
const EPOCH = 1_800_000_000_000;

/** One store for all processes of a history. */
export class SimStore {
  readonly #world: World;
  #inner: Store;
  /** Leases as the ledger itself gave them: a handle does not travel. */
  #leases = new Map<string, Lease>();
  #log: Applied[] = [];
  /** How far the store's clock is off. */
  skewMs = 0;
  #replayAt: number | undefined = undefined;
  /** Away until then. */
  outageUntil = 0;

  constructor(world: World) {
    this.#world = world;
    this.#inner = this.#newLedger();
  }

  /** By the store's own clock, which tells whole ms, as those of real stores do. */
  get now(): number {
    return Math.floor(EPOCH + this.#world.loop.now + this.skewMs);
  }

  /** A process's connection to the store. */
  link(process: SimProcess): Store {
    const through = (method: Method) =>
      ((...args: unknown[]) => this.#call(process, method, args)) as unknown as Store[typeof method];
    const methods: Method[] = ['claim', 'markSent', 'renewAll', 'release', 'settle', 'resolve', 'find', 'sweep'];
    methods.push('list', 'stats', 'purge', 'audit');
    const link = Object.fromEntries(methods.map((method) => [method, through(method)])) as unknown as Store;
    return Object.assign(link, { durability: 'fsync', shared: true, close: async () => undefined });
  }

  /** Straight to the ledger, past wire and faults: for whoever stands outside. */
  get inside(): LedgerReader {
    return this.#inner;
  }

  /** Loses its last writes although it had said that they are safe, as a store does that lied about its disk. */
  async forget(count: number): Promise<void> {
    const lost = this.#log.splice(Math.max(0, this.#log.length - count));
    const operationIds = [...new Set(lost.flatMap(({ method, args }) => operationsOf(method, args)))];
    this.#world.see({ what: 'amnesia', operationIds });
    const log = this.#log;
    this.#log = [];
    this.#leases = new Map();
    this.#inner = this.#newLedger();
    for (const { storeAt, method, args } of log) {
      this.#replayAt = storeAt;
      await this.#apply(method, args).catch(() => undefined);
    }
    this.#replayAt = undefined;
  }

  #newLedger(): Store {
    return memoryLedger({ clock: { now: () => this.#replayAt ?? this.now, monotonic: () => 0, timer: neverFires } });
  }

  #call(process: SimProcess, method: Method, args: readonly unknown[]): Promise<unknown> {
    const { dice, plan } = this.#world;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new McpTxError('LEDGER_UNAVAILABLE', `the store did not answer ${method}`));
      const arrive = (): void => {
        if (this.#world.loop.now < this.outageUntil) {
          if (dice.chance(0.5)) process.post(dice.int(0, 50), fail);
          else this.#world.loop.post(this.outageUntil - this.#world.loop.now, arrive); // held up, and done afterwards
          return;
        }
        if (this.#world.strikes('ledger.failBefore', `${method} by ${process.name}`)) {
          process.post(dice.int(0, 10), fail);
          return;
        }
        void this.#apply(method, args).then(
          (answer) => {
            this.#tell(process, method, args, answer);
            const isLost =
              WRITES.has(method) && this.#world.strikes('ledger.failAfter', `${method} by ${process.name}`);
            process.post(dice.int(0, plan.ledgerLatencyMs), isLost ? fail : () => resolve(answer));
          },
          (error: unknown) => process.post(0, () => reject(error)),
        );
      };
      this.#world.loop.post(dice.int(0, plan.ledgerLatencyMs), arrive);
    });
  }

  async #apply(method: Method, args: readonly unknown[]): Promise<unknown> {
    if (WRITES.has(method)) this.#log.push({ storeAt: this.#replayAt ?? this.now, method, args });
    const act = this.#inner[method] as (...args: readonly unknown[]) => Promise<unknown>;
    const answer = await act.apply(
      this.#inner,
      args.map((arg) => this.#withHandle(arg)),
    );
    return method === 'claim' ? this.#withoutHandle(answer as Claim) : answer;
  }

  #withHandle(arg: unknown): unknown {
    if (Array.isArray(arg)) return arg.map((each) => this.#withHandle(each));
    return isLease(arg) ? (this.#leases.get(nameOf(arg)) ?? arg) : arg;
  }

  #withoutHandle(claim: Claim): Claim {
    if (claim.kind !== 'claimed') return claim;
    const { operationId, fence, ownerToken, leaseMs } = claim.lease;
    this.#leases.set(nameOf(claim.lease), claim.lease);
    return { ...claim, lease: { operationId, fence, ownerToken, leaseMs } };
  }

  #tell(process: SimProcess, method: Method, args: readonly unknown[], answer: unknown): void {
    const seen = { what: 'store', storeAt: this.now, process: process.name, method } as const;
    const [first] = args;
    if (method === 'claim') {
      const { operationId, ownerToken, leaseMs } = first as ClaimRequest;
      const claim = answer as Claim;
      const fence = claim.kind === 'claimed' ? { fence: claim.lease.fence } : {};
      const kind = claim.kind === 'claimed' && claim.takenOver !== undefined ? 'taken-over' : claim.kind;
      this.#world.see({ ...seen, operationId, ownerToken, leaseMs, ...fence, answer: kind });
    } else if (isLease(first)) {
      const { operationId, ownerToken, fence, leaseMs } = first;
      const hold = method === 'release' && (args[1] as { readonly hold: boolean }).hold ? ' (held)' : '';
      this.#world.see({ ...seen, operationId, ownerToken, fence, leaseMs, answer: `${String(answer)}${hold}` });
    } else if (method === 'renewAll') {
      (first as readonly Lease[]).forEach(({ operationId, ownerToken, fence, leaseMs }, i) => {
        const isRenewed = String((answer as readonly boolean[])[i]);
        this.#world.see({ ...seen, operationId, ownerToken, fence, leaseMs, answer: isRenewed });
      });
    } else if (method === 'sweep') {
      const swept = answer as readonly Swept[];
      if (swept.length === 0) return;
      const freed = swept.filter(({ action, record }) => action === 'released' && record.state === 'claimed');
      const says = swept.map(({ action, record }) => `${record.operationId} ${action}`).join(', ');
      const ids = (some: readonly Swept[]): readonly string[] => some.map(({ record }) => record.operationId);
      const ended = swept.filter(({ action }) => action !== 'runnable');
      this.#world.see({ ...seen, answer: says, swept: ids(ended), freed: ids(freed) });
    } else if (method === 'resolve') {
      const operationId = first as string;
      const { by, outcome } = args[1] as { readonly by: string; readonly outcome: { readonly state: string } };
      const { kind } = answer as { readonly kind: string };
      this.#world.see({ ...seen, operationId, answer: kind });
      if (kind === 'resolved') this.#world.see({ what: 'resolve', operationId, by, outcome: outcome.state });
    }
  }
}

function isLease(value: unknown): value is Lease {
  return typeof value === 'object' && value !== null && 'fence' in value && 'ownerToken' in value;
}

function nameOf({ operationId, fence, ownerToken }: Lease): string {
  return `${operationId} ${fence} ${ownerToken}`;
}

/** The operations that a write was about; what a sweep or a purge did may concern any of them. */
function operationsOf(method: Method, [first]: readonly unknown[]): readonly string[] {
  if (method === 'sweep' || method === 'purge') return [ANY];
  if (method === 'resolve') return [first as string];
  if (Array.isArray(first)) return (first as readonly Lease[]).map(({ operationId }) => operationId);
  return typeof first === 'object' && first !== null ? [(first as { operationId: string }).operationId] : [];
}

function neverFires(): { cancel(): void } {
  return { cancel: () => undefined };
}
