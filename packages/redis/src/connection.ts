/** Runs scripts on the user's server in time, and fails closed once the store has lost what this process has seen in it. */
import { randomBytes } from 'node:crypto';
import { McpTxError } from '@mcp-tx/core/ledger';
import { LostWritesError, toLedgerError } from './ledger-error.ts';
import { requirePromise } from './promise.ts';
import type { OpenRedisLedger } from './redis-ledger-options.ts';
import { ATTACH } from './scripts/attach.ts';
import type { Script, ScriptName } from './scripts/script.ts';
import { scriptsOf } from './scripts/script.ts';

/** The form in which records are kept. */
const VERSION = '3';

/** What this process has seen of the store last. */
interface Seen {
  readonly epoch: string;
  readonly generation: number;
  readonly writes: number;
}

/** What a script answers, without the standing of the store. */
export type Reply = readonly unknown[];

export class Connection {
  readonly #open: OpenRedisLedger;
  readonly #head: string;
  readonly #scripts: Readonly<Record<ScriptName, Script>>;
  #seen: Seen | undefined;
  #lost: LostWritesError | undefined;
  #meeting: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;

  constructor(open: OpenRedisLedger) {
    this.#open = open;
    this.#head = `{${open.prefix}}:head`;
    this.#scripts = scriptsOf(this.#head);
  }

  /** @throws McpTxError `LEDGER_UNAVAILABLE`, `LEDGER_CORRUPT`, `LEDGER_VERSION`, `LEDGER_FULL`, `CONFIG_INVALID` */
  async run(name: ScriptName, args: readonly (string | number)[]): Promise<Reply> {
    try {
      const giveUpAt = performance.now() + this.#open.timeoutMs;
      return await this.#inTime(this.#run(this.#scripts[name], args, giveUpAt));
    } catch (error) {
      if (error instanceof LostWritesError) this.#lost = error;
      throw toLedgerError(error, name);
    }
  }

  end(): void {
    if (this.#open.isOwn) this.#open.client.disconnect();
  }

  async #run(script: Script, args: readonly (string | number)[], giveUpAt: number): Promise<Reply> {
    if (this.#lost !== undefined) throw this.#lost;
    const { client } = this.#open;
    if (client.status !== 'ready') await this.#connected();
    if (this.#seen === undefined) await this.#meet();
    try {
      const [seen, given] = this.#given(args, giveUpAt);
      return this.#understood(seen, await client.evalsha(script.sha, 1, this.#head, ...given));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    }
    await this.#meet(); // the server may have started anew
    const [seen, given] = this.#given(args, giveUpAt);
    return this.#understood(seen, await client.eval(script.text, 1, this.#head, ...given));
  }

  /** What a script is given, at the last moment: nothing is sent that nobody waits for any more. */
  #given(args: readonly (string | number)[], giveUpAt: number): [Seen, (string | number)[]] {
    const seen = this.#seen;
    if (seen === undefined || performance.now() >= giveUpAt) throw new Error('no answer in time');
    return [seen, [seen.epoch, seen.generation, seen.writes, this.#open.clock?.now() ?? '', ...args]];
  }

  #understood(asked: Seen | undefined, reply: unknown): Reply {
    const [told, epoch, generation, writes, ...rest] = reply as readonly unknown[];
    if (told === 'version') {
      const what = `The ledger in Redis is of version ${epoch}, and this program knows version ${VERSION}`;
      const cure = Number(epoch) > Number(VERSION) ? 'update it' : 'give another prefix, which begins an empty one';
      throw new McpTxError('LEDGER_VERSION', `${what}: ${cure}.`);
    }
    if (told !== 'ok') throw new LostWritesError(this.#head);
    this.#see(asked, { epoch: String(epoch), generation: Number(generation), writes: Number(writes) });
    return rest;
  }

  /** An answer of a later generation counts only where all that was seen before was asked about. */
  #see(asked: Seen | undefined, told: Seen): void {
    const seen = this.#seen;
    const isLater = seen?.generation === told.generation ? told.writes > seen.writes : seen === asked;
    if (isLater) this.#seen = told;
  }

  /** Checks what the server promises, and has it note its start. Many calls may wait for it at once. */
  #meet(): Promise<void> {
    this.#meeting ??= this.#meetOnce().finally(() => {
      this.#meeting = undefined;
    });
    return this.#meeting;
  }

  async #meetOnce(): Promise<void> {
    const { client, durability } = this.#open;
    await requirePromise(client, durability);
    const fresh = randomBytes(12).toString('hex');
    const reply = await client.eval(ATTACH, 1, this.#head, this.#seen?.epoch ?? '', fresh, VERSION);
    if (this.#seen === undefined || (reply as readonly unknown[])[0] !== 'ok') this.#understood(undefined, reply);
  }

  /** Nothing is given to a client that has no connection: it would keep it, and send it when nobody waits for it any more. */
  #connected(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    const { client, timeoutMs } = this.#open;
    if (client.status === 'end') throw new Error('the client was ended');
    if (client.status === 'wait') client.connect().catch(() => undefined); // an event says it, too
    let last: Error | undefined;
    const stop = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(last ?? new Error(`no connection in ${timeoutMs} ms`)), timeoutMs);
      const note = (error: Error): void => {
        last = error;
      };
      client.once('ready', resolve).on('error', note);
      stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        client.off('ready', resolve).off('error', note);
      });
    }).finally(() => stop.abort());
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#open;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    work.catch(() => undefined); // it may fail after we gave up
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}
