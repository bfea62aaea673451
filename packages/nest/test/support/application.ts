/** Starts a Nest application on either adapter, on a free port, and stops it with the test. */
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The adapters. */
export type Platform = 'express' | 'fastify';
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** An application that listens. */
export interface Listening extends AsyncDisposable {
  readonly app: INestApplication;
  readonly url: string;
}

/** Starts it as a `main.ts` does. */
export async function listening(module: Type, platform: Platform, prefix?: string): Promise<Listening> {
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(module, adapter, { logger: false, abortOnError: false });
  if (prefix !== undefined) app.setGlobalPrefix(prefix);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), [Symbol.asyncDispose]: () => app.close() };
}

/** POSTs JSON; what came back, as status and parsed body. */
export async function post(
  url: string,
  body: unknown = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: Headers;
}> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text || '{}'), headers: response.headers };
}
