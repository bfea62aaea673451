/** Turns a case's profile into what a host is given: a real instance, and the kernel's options. */
import type { McpTx } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { HttpKernelOptions } from '@mcp-tx/core/http';
import { http } from '@mcp-tx/core/sdk-v1';
import type { HttpHostProfile } from './fixture.ts';

/** What a host is given, and what it has to close in the end. */
export interface HttpHostSetup {
  readonly client: McpTx;
  /** The kernel's options; `client` is a function, as lazy as an app's own. */
  readonly options: HttpKernelOptions<unknown>;
}

const TOKENS: Readonly<Record<string, string>> = { 'Bearer of-alice': 'alice', 'Bearer of-bob': 'bob' };

/** The setup of a host under test. Bob may not call `append`. */
export function httpHostOptions(profile: HttpHostProfile): HttpHostSetup {
  const { upstream, name, timeoutMs, settleGraceMs, tools, authenticate } = profile;
  const client = createMcpTx({
    server: http({ url: upstream }),
    name,
    timeoutMs,
    settleGraceMs,
    retry: { baseDelayMs: 10, maxDelayMs: 50 },
    tools: { read_balance: { readOnly: true } },
  });
  const { limits, deadline, rate, openapi } = profile;
  const options: Omit<HttpKernelOptions<unknown>, 'authenticate'> = {
    client: () => Promise.resolve(client),
    tools,
    authorize: (principal, tool) => !(principal?.scope === 'bob' && tool === 'append'),
    ...(limits === undefined ? {} : { limits }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(rate === undefined ? {} : { rate }),
    ...(openapi === undefined ? {} : { openapi }),
  };
  if (authenticate === 'missing') return { client, options: options as HttpKernelOptions<unknown> };
  if (authenticate === 'single-tenant') return { client, options: { ...options, authenticate } };
  return { client, options: { ...options, authenticate: (caller) => principalOf(caller.header('authorization')) } };
}

function principalOf(authorization = ''): { readonly scope: string } | null {
  const scope = Object.hasOwn(TOKENS, authorization) ? TOKENS[authorization] : undefined;
  return scope === undefined ? null : { scope };
}
