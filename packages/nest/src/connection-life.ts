/** Ties a connection to the application's life: connects with it if so wanted, drains before it closes, closes last. */
import type { IncomingMessage } from 'node:http';
import type { McpTx } from '@mcp-tx/core';
import type { HttpKernel } from '@mcp-tx/core/http';
import type { BeforeApplicationShutdown, OnApplicationShutdown, OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { McpTxModuleOptions } from './module-options.ts';

/** Nest calls its hooks; `app.enableShutdownHooks()` makes it do so on SIGTERM. */
export class ConnectionLife implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #client: McpTx;
  readonly #kernel: HttpKernel<IncomingMessage> | undefined;
  readonly #options: McpTxModuleOptions;
  #isEnding = false;

  constructor(client: McpTx, kernel: HttpKernel<IncomingMessage> | undefined, options: McpTxModuleOptions) {
    this.#client = client;
    this.#kernel = kernel;
    this.#options = options;
  }

  /** The application goes away. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** @throws McpTxError `CONNECTION_FAILED` with `eager`: the application does not start */
  async onModuleInit(): Promise<void> {
    if (this.#options.eager === true) await this.#client.initialize();
  }

  onModuleDestroy(): void {
    this.#isEnding = true;
  }

  /** All connections drain before the first one closes: a handler may use several. */
  async beforeApplicationShutdown(): Promise<void> {
    const { beforeCloseMs = 0, graceMs = 15_000 } = this.#options;
    await this.#kernel?.drain({ beforeCloseMs, graceMs });
  }

  async onApplicationShutdown(): Promise<void> {
    if (!('client' in this.#options)) await this.#client.close({ graceMs: this.#options.graceMs ?? 15_000 });
  }
}
