// DESIGN 3.6: one reading of the list of tools serves all who wait; what was asked for before a change is never taken for news of it.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerConnection, ToolDefinition } from '../../src/index.ts';
import { ToolCatalog } from '../../src/session/tool-catalog.ts';
import { Branches, inParallel, races, turn } from '../support/race.ts';

const script = fc.record({
  asks: fc.array(fc.record({ leaves: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  changes: fc.nat(3),
  /** What becomes of each reading. `silent`: the server is there and will not tell. */
  readings: fc.array(fc.constantFrom('list', 'list', 'list', 'fails', 'silent'), { maxLength: 6 }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

type Branch =
  | 'shared a reading'
  | 'changed during a reading'
  | 'left'
  | 'failed'
  | 'silent'
  | 'found'
  | 'missing'
  | 'asked again';

/** A server that has one tool, named after the number of changes so far: `tool-0`, `tool-1`, … */
class ChangingServer {
  readonly #scheduler: Scheduler;
  readonly #readings: string[];
  changes = 0;
  underWay = 0;
  /** Changes before each reading that was asked for. */
  readonly askedAfter: number[] = [];
  state = 'ready';
  /** Changes before the last reading that has ended. */
  newest = -1;
  readonly complaints: string[] = [];

  constructor(scheduler: Scheduler, readings: readonly string[]) {
    this.#scheduler = scheduler;
    this.#readings = [...readings];
  }

  get connection(): ServerConnection {
    const server = this;
    const part = {
      get state() {
        return server.state;
      },
      listTools: () => server.#list(),
    };
    return part as unknown as ServerConnection;
  }

  /** The list is as old as the request: what changes while it is on its way is not in it. */
  async #list(): Promise<readonly ToolDefinition[]> {
    this.underWay += 1;
    if (this.underWay > 1) this.complaints.push('two readings at once');
    const end = this.#readings.shift() ?? 'list';
    const { changes } = this;
    this.askedAfter.push(changes);
    const tools = [{ name: `tool-${this.changes}`, inputSchema: { type: 'object' as const } }];
    this.state = end === 'fails' ? 'down' : 'ready';
    await turn(this.#scheduler, `reading ${this.askedAfter.length} ends: ${end}`);
    this.underWay -= 1;
    this.newest = changes;
    if (end !== 'list') throw new Error(end);
    return tools;
  }
}

async function ask(catalog: ToolCatalog, server: ChangingServer, signal: AbortSignal, saw: Saw): Promise<void> {
  const wanted = `tool-${server.changes}`;
  const changesBefore = server.changes;
  saw('shared a reading', server.underWay === 1);
  const found = await catalog.ensure(wanted, signal).then(
    () => 'found' as const,
    () => 'missing' as const,
  );
  saw(found);
  // It was there when it was asked for: only a later change can have taken it away.
  if (found === 'missing' && server.changes === changesBefore) server.complaints.push(`${wanted} was not found`);
}

type Saw = (name: Branch, happened?: boolean) => void;

function begin(drawn: Script, scheduler: Scheduler, catalog: ToolCatalog, server: ChangingServer, saw: Saw): void {
  const change = (): void => {
    saw('changed during a reading', server.underWay === 1);
    server.changes += 1;
    catalog.invalidate();
  };
  const asks = drawn.asks.map(({ leaves }, n) => {
    const abort = new AbortController();
    const leave = (): void => {
      saw('left');
      abort.abort();
    };
    const asking = [`${n} asks`, () => void ask(catalog, server, abort.signal, saw)] as const;
    return leaves ? [asking, [`${n} leaves`, leave] as const] : [asking];
  });
  const changes = Array.from({ length: drawn.changes }, () => ['the list changes', change] as const);
  inParallel(scheduler, [...asks, changes]);
}

/** Fresh means: read, or refused, after the last change. */
function expectFreshIsNew(catalog: ToolCatalog, server: ChangingServer): void {
  if (catalog.tools.some(({ name }) => catalog.isReady(name))) expect(server.newest).toBe(server.changes);
}

describe('the list of tools', () => {
  it('is read once for all who wait, and never older than the change that was told', async () => {
    const branches = new Branches<Branch>(
      ...(['shared a reading', 'changed during a reading', 'left', 'failed'] as const),
      ...(['silent', 'found', 'missing', 'asked again'] as const),
    );
    const saw: Saw = (name, happened = true) => branches.saw(name, happened);
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const server = new ChangingServer(scheduler, drawn.readings);
        const catalog = new ToolCatalog(() => server.connection);
        begin(drawn, scheduler, catalog, server, saw);
        while (scheduler.count() > 0) {
          await scheduler.waitNext(1);
          await new Promise((resolve) => setImmediate(resolve));
          expectFreshIsNew(catalog, server);
        }
        expect(server.complaints).toEqual([]);
        saw('asked again', server.askedAfter.length > 1);
        const ends = drawn.readings.slice(0, server.askedAfter.length);
        saw('failed', ends.includes('fails'));
        saw('silent', ends.includes('silent'));
      }),
      races(1_500),
    );
    branches.expectAll();
  });
});
