/** Decides who asks: by a name of this server, from a page that may, as a principal that is known. */
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import { HttpError, isHttpError } from './http-error.ts';
import type { KernelRequest } from './http-message.ts';
import { headerOf } from './http-message.ts';
import type { Authenticate, HttpCaller, Principal } from './kernel-options.ts';

/** A request as the hooks see it. */
export function callerOf<Host>(request: KernelRequest<Host>): HttpCaller<Host> {
  const { method, path, headers, host } = request;
  return { method, path, host, header: (name) => headerOf(headers, name.toLowerCase()) };
}

/**
 * The principal of a request; `undefined` for a single tenant. Shells that bind `req.mcpTx` ask here, too.
 *
 * @throws HttpError `UNAUTHENTICATED`
 */
export function authenticateCaller<Host>(
  authenticate: Authenticate<Host> | 'single-tenant',
  caller: HttpCaller<Host>,
  challenge: string = 'Bearer',
): undefined | Promise<Principal> {
  return authenticate === 'single-tenant' ? undefined : principalOf(authenticate, caller, challenge);
}

async function principalOf<Host>(
  authenticate: Authenticate<Host>,
  caller: HttpCaller<Host>,
  challenge: string,
): Promise<Principal> {
  const principal = await askHook('authenticate', () => authenticate(caller));
  if (typeof principal?.scope === 'string' && principal.scope !== '') return principal;
  throw new HttpError('UNAUTHENTICATED', undefined, { headers: { 'www-authenticate': challenge } });
}

/** Asks a hook of the user. @throws McpTxError `INTERNAL`, execution `none`, when it throws: nothing was sent yet */
export async function askHook<T>(name: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (isHttpError(cause) || isMcpTxError(cause)) throw cause;
    throw new McpTxError('INTERNAL', `the hook ${name} threw`, { execution: 'none', cause });
  }
}

/** Which names and pages are let in. */
export interface EntranceSettings {
  readonly hosts: readonly string[] | '*' | 'loopback';
  readonly origins: readonly string[] | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Lets in only requests for a host name that is ours, and of web pages only those that may ask.
 *
 * @throws HttpError `HOST_REFUSED`, `ORIGIN_REFUSED`
 */
export function checkEntrance<Host>(caller: HttpCaller<Host>, { hosts, origins }: EntranceSettings): void {
  const host = caller.header('host') ?? caller.header(':authority') ?? '';
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const isOurs = hosts === '*' || (hosts === 'loopback' ? LOOPBACK.test(name) : hosts.includes(name));
  if (!isOurs) throw new HttpError('HOST_REFUSED');
  const origin = caller.header('origin');
  if (origin === undefined) return;
  const isAllowed = origins === undefined ? isSameHost(origin, host) : origins.includes(origin);
  if (!isAllowed) throw new HttpError('ORIGIN_REFUSED');
}

function isSameHost(origin: string, host: string): boolean {
  const prefix = /^https?:\/\//.exec(origin)?.[0];
  return prefix !== undefined && origin.slice(prefix.length).toLowerCase() === host.toLowerCase();
}
