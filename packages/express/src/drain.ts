/** Ends a server without losing an answer: no new calls, those under way to their end, then the connections. */
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTxRouter } from './router.ts';

/** What is closed after the last answer: an instance, a hub, a ledger. */
export interface Closable {
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** How to end a server. */
export interface DrainOptions {
  /** Routers whose calls are waited for. */
  readonly routers?: readonly McpTxRouter[];
  /** Closed in this order, after the last answer. */
  readonly close?: readonly Closable[];
  /** How long requests under way may take, ms. Default 15,000. */
  readonly graceMs?: number;
  /** How long the server still takes requests while `readyz` says no already, ms: for load balancers to notice. Default 0. */
  readonly beforeCloseMs?: number;
  /** Signals that begin it. Default: none; call the function that is returned. */
  readonly signals?: readonly NodeJS.Signals[];
}

/** Node closes connections that are idle when a server closes, and no later. */
const IDLE_CHECK_MS = 50;

/**
 * Prepares the end of a server, and gives the function that begins it. Repeated calls give the same promise. The process is
 * left to end by itself; nothing here calls `process.exit`.
 */
export function drain(server: Server, options: DrainOptions = {}): () => Promise<void> {
  const { signals = [] } = options;
  let ending: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    ending ??= end(server, options).finally(() => {
      for (const signal of signals) process.off(signal, begin);
    });
    return ending;
  };
  for (const signal of signals) process.on(signal, begin);
  return begin;
}

async function end(server: Server, options: DrainOptions): Promise<void> {
  const { routers = [], close = [], graceMs = 15_000, beforeCloseMs = 0 } = options;
  server.prependListener('request', (_request, response: ServerResponse) => response.setHeader('connection', 'close'));
  const draining = routers.map(({ kernel }) => kernel.drain({ beforeCloseMs, graceMs }));
  if (beforeCloseMs > 0) await sleep(beforeCloseMs);
  await Promise.all([...draining, closeServer(server, graceMs)]);
  for (const one of close) await one.close({ graceMs });
}

/** Takes no more connections, and ends each that is left once it has its answer, all of them after `graceMs`. */
async function closeServer(server: Server, graceMs: number): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve()); // an error says that it was closed already
    });
  } finally {
    clearInterval(idle);
    clearTimeout(late);
  }
}
