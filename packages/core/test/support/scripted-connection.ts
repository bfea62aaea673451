/** A connection whose answers a test writes down: the engine's seam, with effects counted here and not by the engine. */
import type {
  ConnectionContext,
  OperationStatus,
  Sending,
  SendRequest,
  ServerConnection,
  ServerSource,
  TaskStatus,
  ToolDefinition,
} from '../../src/index.ts';
import { McpTxError, serverSource } from '../../src/index.ts';
import type { Observation } from '../../src/policy/observation.ts';
import { sleep } from '../../src/runtime/clock.ts';

/** What happens to one send. `runs`: the tool has its effect, `afterMs` after the send (default 0). */
export interface Fate {
  readonly runs?: boolean;
  readonly afterMs?: number;
  /** Progress that the server reports, at so many ms after the send. */
  readonly progressAtMs?: readonly number[];
  /** How the send ends; absent: it never does. */
  readonly ends?: Partial<Observation>;
}

/** Fates that tests use by name. */
export const fates: Readonly<
  Record<
    | 'answer'
    | 'lostAnswer'
    | 'lostRequest'
    | 'refused'
    | 'reset'
    | 'resetAfterEffect'
    | 'busy'
    | 'rejected'
    | 'forbidden'
    | 'sessionGone'
    | 'serverError',
    Fate
  >
> = {
  answer: { runs: true, ends: answered() },
  lostAnswer: { runs: true },
  lostRequest: {},
  refused: {
    ends: { dispatched: false, thrown: { name: 'TypeError', message: 'fetch failed', causeCode: 'ECONNREFUSED' } },
  },
  reset: { ends: { lost: true } },
  resetAfterEffect: { runs: true, ends: { lost: true } },
  busy: { ends: { status: 429, retryAfterMs: 40 } },
  rejected: { ends: { status: 400 } },
  forbidden: { ends: { status: 403 } },
  sessionGone: { ends: { status: 404, hadSession: true } },
  serverError: { runs: true, ends: { frame: 'error', errorFrame: { code: -32_603, message: 'internal' } } },
};

/** An answer that says which run of the tool made it. */
export function answered(more: object = {}): Partial<Observation> {
  return { frame: 'result', result: { content: [{ type: 'text', text: 'ok' }], ...more } };
}

/** A fate that answers `afterMs` after the send. */
export function slowly(afterMs: number, more: object = {}): Fate {
  return { runs: true, afterMs, ends: answered(more) };
}

/** The scripted server, as a test sees it. */
export class ScriptedServer {
  readonly sends: (SendRequest & { readonly at: number; cancelled?: string })[] = [];
  /** Effects by operation id. */
  readonly effects: Map<string, number> = new Map();
  readonly fates: Fate[];
  tools: ToolDefinition[] = ['pay', 'read'].map((name) => ({ name, inputSchema: { type: 'object' } }));
  /** How long the server takes to tell its tools. */
  listsAfterMs = 0;
  speaksMcpTx = false;
  isUp = true;
  idle = false;
  recoveries: string[] = [];
  closed = 0;
  /** Sends that cannot take effect any more. */
  dead = false;
  onToolsChanged: () => void = () => undefined;
  /** As if the connection had been lost and made again. */
  reconnect: () => void = () => undefined;
  generation = 1;
  /** How the server's tasks stand. */
  readonly tasks: Map<string, TaskStatus> = new Map();
  taskPolls = 0;
  /** What the server says of operations, by id; of others, that it has none. */
  readonly operations: Map<string, OperationStatus> = new Map();
  statusPolls = 0;
  /** How far back its memory goes, ms. */
  rememberedMs = 86_400_000;
  #context: ConnectionContext | undefined;

  /** Fates of the first sends, in order; later ones are answered. */
  constructor(...fatesInOrder: Fate[]) {
    this.fates = fatesInOrder;
  }

  /** Effects of all operations. */
  get effectCount(): number {
    return [...this.effects.values()].reduce((sum, count) => sum + count, 0);
  }

  readonly source: ServerSource = serverSource((context) => {
    this.#context ??= context; // the server lives on the clock of whoever came first
    this.onToolsChanged = context.onToolsChanged;
    this.reconnect = () => {
      this.generation += 1;
      context.onReconnected();
    };
    return this.#connection();
  });

  #connection(): ServerConnection {
    const self = this;
    return {
      get state() {
        return self.isUp ? 'ready' : 'down';
      },
      get generation() {
        return self.generation;
      },
      async taskStatus(taskId) {
        self.taskPolls += 1;
        return self.tasks.get(taskId) ?? { state: 'unknown' };
      },
      async operationStatus(operationId) {
        self.statusPolls += 1;
        if (!self.speaksMcpTx) return { state: 'unaware' };
        return self.operations.get(operationId) ?? { state: 'absent', rememberedMs: self.rememberedMs };
      },
      get speaksMcpTx() {
        return self.speaksMcpTx;
      },
      isReady: (unsafe) => self.isUp && !(unsafe && self.idle),
      async makeReady() {
        if (!self.isUp) throw new McpTxError('CONNECTION_FAILED', 'cannot connect to the server');
        self.idle = false;
      },
      async recover(what) {
        self.recoveries.push(what);
      },
      send: (request) => self.#send(request),
      listTools: async () => {
        if (self.listsAfterMs > 0) await sleep((self.#context as ConnectionContext).clock, self.listsAfterMs);
        return self.tools;
      },
      check: async () => undefined,
      close: async () => {
        self.closed += 1;
      },
    };
  }

  #send(request: SendRequest): Sending {
    const { clock } = this.#context as ConnectionContext;
    const fate: Fate = this.fates.shift() ?? fates.answer;
    const send = { ...request, at: clock.monotonic() } as (typeof this.sends)[number];
    this.sends.push(send);
    let end: (seen: Observation) => void;
    const ended = new Promise<Observation>((resolve) => {
      end = resolve;
    });
    const happen = (): void => {
      if (fate.runs === true) this.#takeEffect(request);
      if (fate.ends !== undefined) end({ tapped: true, dispatched: true, ...fate.ends });
    };
    for (const [i, atMs] of (fate.progressAtMs ?? []).entries())
      clock.timer(atMs, () => request.onProgress?.({ progress: i + 1 }));
    if (fate.afterMs === undefined) happen();
    else clock.timer(fate.afterMs, happen);
    return {
      ended,
      cancel: (reason) => {
        send.cancelled = reason;
        end({ tapped: true, dispatched: true, cancelled: true });
      },
      forget: () => undefined,
      isDead: () => this.dead,
    };
  }

  #takeEffect({ identity }: SendRequest): void {
    this.effects.set(identity.operationId, (this.effects.get(identity.operationId) ?? 0) + 1);
  }
}
