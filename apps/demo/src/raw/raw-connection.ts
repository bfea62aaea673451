/** A plain client of SDK v1 that can be replaced by a new one when it is broken. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Command } from 'shop';

/** A connection to one server, opened when it is first needed. */
export class RawConnection {
  readonly #command: Command;
  #client: Promise<Client> | undefined;

  constructor(command: Command) {
    this.#command = command;
  }

  client(): Promise<Client> {
    this.#client ??= connect(this.#command);
    return this.#client;
  }

  /** Throws the connection away, unless somebody else has done that already. */
  async drop(broken: Promise<Client>): Promise<void> {
    if (this.#client !== broken) return;
    this.#client = undefined;
    await broken.then((client) => client.close()).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#client !== undefined) await this.drop(this.#client);
  }
}

async function connect(command: Command): Promise<Client> {
  const client = new Client({ name: 'demo', version: '1.0.0' });
  await client.connect(new StdioClientTransport(command));
  return client;
}
