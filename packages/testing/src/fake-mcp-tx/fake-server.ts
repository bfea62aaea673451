/** The server behind a fake instance: tools are functions, and a script says what becomes of each send to them. */
import type {
  ConnectionContext,
  Observation,
  Sending,
  SendRequest,
  ServerConnection,
  ServerSource,
  ToolDefinition,
} from '@mcp-tx/core';
import { McpTxError, serverSource } from '@mcp-tx/core';

/** What becomes of one send. */
export type Fate =
  /** The tool runs and its answer arrives. What happens when the script says nothing. */
  | 'answer'
  /** The tool runs, its answer is lost and the connection with it. */
  | 'lose-answer'
  /** The request is lost and the connection with it. */
  | 'lose-request'
  /** The tool runs and nothing is ever heard again. */
  | 'stay-silent'
  /** Connection refused: nothing leaves. */
  | 'refuse'
  /** 429 with Retry-After. */
  | 'busy'
  /** 400: the server rejects this very call. */
  | 'reject'
  /** The tool runs, and its answer arrives so many ms after the send. */
  | { readonly answerAfterMs: number };

/** A tool of a fake server. What it returns becomes the result, as plain data or as a `CallToolResult`. */
export type FakeTool = (args: Readonly<Record<string, unknown>>, send: FakeSend) => unknown;

/** A tool with a definition. */
export interface FakeToolDefinition extends Omit<ToolDefinition, 'name'> {
  readonly run: FakeTool;
}

/** A send that left the engine. */
export interface FakeSend {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly operationId: string;
  readonly attempt: number;
  /** Virtual or real time of the send, ms on the instance's clock. */
  readonly at: number;
  readonly fate: Fate;
}

/** Everything that a fake server is made of. */
export interface FakeServerOptions {
  readonly tools: Readonly<Record<string, FakeTool | FakeToolDefinition>>;
  readonly script: Readonly<Record<string, readonly Fate[]>>;
  readonly speaksMcpTx: boolean;
}

/** A server in this process, with a log of what reached it and of what it did. */
export class FakeServer {
  /** Every send that left, in order. */
  readonly sends: FakeSend[] = [];
  /** Every run of a tool, in order: the effects that really happened. */
  readonly effects: FakeSend[] = [];
  readonly source: ServerSource;
  readonly #options: FakeServerOptions;
  readonly #next = new Map<string, number>();
  #context: ConnectionContext | undefined;

  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.source = serverSource((context) => {
      this.#context = context;
      return this.#connection();
    });
  }

  /** Steps of the script that no send has reached. */
  get unusedSteps(): readonly { readonly tool: string; readonly fate: Fate }[] {
    return Object.entries(this.#options.script).flatMap(([tool, fates]) =>
      fates.slice(this.#next.get(tool) ?? 0).map((fate) => ({ tool, fate })),
    );
  }

  #connection(): ServerConnection {
    let isClosed = false;
    return {
      get state() {
        return isClosed ? 'closed' : 'ready';
      },
      generation: 1,
      speaksMcpTx: this.#options.speaksMcpTx,
      isReady: () => !isClosed,
      makeReady: async () => {
        if (isClosed) throw new McpTxError('CLOSED', 'the connection is closed');
      },
      recover: async () => undefined,
      send: (request) => this.#send(request),
      listTools: async () => this.#definitions(),
      check: async () => undefined,
      close: async () => {
        isClosed = true;
      },
    };
  }

  #definitions(): readonly ToolDefinition[] {
    return Object.entries(this.#options.tools).map(([name, tool]) => {
      if (typeof tool === 'function') return { name, inputSchema: { type: 'object' } };
      const { run: _run, ...definition } = tool;
      return { inputSchema: { type: 'object' }, ...definition, name };
    });
  }

  #send(request: SendRequest): Sending {
    const { clock } = this.#context as ConnectionContext;
    const { operationId, attempt } = request.identity;
    const send = {
      tool: request.tool,
      arguments: request.arguments,
      operationId,
      attempt,
      at: clock.monotonic(),
      fate: this.#fateOf(request.tool),
    };
    this.sends.push(send);
    let end: (seen: Observation) => void = () => undefined;
    const ended = new Promise<Observation>((resolve) => {
      end = resolve;
    });
    if (typeof send.fate === 'object') clock.timer(send.fate.answerAfterMs, () => void this.#happen(send, end));
    else void this.#happen(send, end);
    return {
      ended,
      cancel: () => end({ tapped: true, dispatched: true, cancelled: true }),
      forget: () => undefined,
      isDead: () => send.fate === 'lose-answer' || send.fate === 'lose-request',
    };
  }

  #fateOf(tool: string): Fate {
    const step = this.#next.get(tool) ?? 0;
    this.#next.set(tool, step + 1);
    return this.#options.script[tool]?.[step] ?? 'answer';
  }

  async #happen(send: FakeSend, end: (seen: Observation) => void): Promise<void> {
    const base = { tapped: true, dispatched: true } as const;
    switch (send.fate) {
      case 'refuse':
        return end({
          ...base,
          dispatched: false,
          thrown: { name: 'TypeError', message: 'fetch failed', causeCode: 'ECONNREFUSED' },
        });
      case 'busy':
        return end({ ...base, status: 429, retryAfterMs: 50 });
      case 'reject':
        return end({ ...base, status: 400 });
      case 'lose-request':
        return end({ ...base, lost: true });
      default: {
        const result = await this.#run(send);
        if (send.fate === 'lose-answer') end({ ...base, lost: true });
        else if (send.fate !== 'stay-silent') end({ ...base, frame: 'result', result });
      }
    }
  }

  async #run(send: FakeSend): Promise<object> {
    this.effects.push(send);
    const tool = this.#options.tools[send.tool];
    const run = typeof tool === 'function' ? tool : tool?.run;
    try {
      return toResult(await run?.(send.arguments, send));
    } catch (error) {
      return {
        isError: true,
        content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }],
      };
    }
  }
}

function toResult(returned: unknown): object {
  if (typeof returned === 'object' && returned !== null && 'content' in returned) return returned;
  const text = typeof returned === 'string' ? returned : JSON.stringify(returned ?? null);
  const isRecord = typeof returned === 'object' && returned !== null && !Array.isArray(returned);
  return { content: [{ type: 'text', text }], ...(isRecord ? { structuredContent: returned } : {}) };
}
