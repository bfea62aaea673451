/** What a user says of an HTTP host, with every default, and the check that names a wrong field. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Deadlines } from '../runtime/deadlines.ts';
import { createDeadlines } from '../runtime/deadlines.ts';
import type { Random } from '../runtime/random.ts';
import { systemRandom } from '../runtime/random.ts';
import type { ClientSource } from './lazy-client.ts';
import { lazyClient } from './lazy-client.ts';
import type { OpenApiInfo } from './openapi.ts';
import { PROBLEM_BASE } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import type { BodyLimits } from './request-body.ts';
import type { DeadlineSettings } from './request-deadline.ts';

/** A request as the hooks see it. */
export interface HttpCaller<Host = unknown> {
  readonly method: string;
  /** Path below the mount. */
  readonly path: string;
  /** A header's value, by its lower-case name. */
  header(name: string): string | undefined;
  /** The framework's own request. */
  readonly host: Host | undefined;
}

/** Who asks. */
export interface Principal {
  /** Tenant or user: keys and operations of one scope are out of reach of every other. From verified authentication only, never from a body or a header that anybody can write. */
  readonly scope: string;
}

/** Finds out who asks; `null` when that is not known. */
export type Authenticate<Host = unknown> = (caller: HttpCaller<Host>) => Principal | null | Promise<Principal | null>;

/** Options of `createHttpKernel`. `client`, `authenticate` and `tools` are required. */
export interface HttpKernelOptions<Host = unknown> {
  /** The instance, or what makes it at the first request. For a hub: one kernel per server, with `hub.server(name)`. */
  readonly client: ClientSource;
  /** Who asks, or explicitly `'single-tenant'`: everybody who reaches this port is the instance's own scope. */
  readonly authenticate: Authenticate<Host> | 'single-tenant';
  /** Tools that may be called from outside. `'*'`: every tool of the server. */
  readonly tools: readonly string[] | '*' | ((tool: string) => boolean);
  /** Whether this principal (`undefined`: the single tenant) may call this tool. `false` looks like a tool that does not exist. */
  readonly authorize?: (
    principal: Principal | undefined,
    tool: string,
    caller: HttpCaller<Host>,
  ) => boolean | Promise<boolean>;
  /** `required`: whether a tool needs a key; default: every tool that is not declared read-only. `strict`: only the quoted form. */
  readonly idempotency?: { readonly required?: boolean | ((tool: string) => boolean); readonly strict?: boolean };
  readonly deadline?: DeadlineSettings;
  readonly limits?: Partial<HttpLimits>;
  /** How many calls of one principal are taken. Default: no limit but those of the instance. */
  readonly rate?: RateLimit;
  /** Host names that are answered, without port. Default: all with `authenticate`, only loopback ones for `'single-tenant'`, so that no web page reaches it by a name of its own (DNS rebinding). */
  readonly hosts?: readonly string[] | '*';
  /** Origins of web pages that may ask, such as `https://shop.example`. Default: only pages of this very host. */
  readonly origins?: readonly string[];
  /** `WWW-Authenticate` of a 401. Default `Bearer`. */
  readonly challenge?: string;
  /** What the `type` of a problem begins with. Default `urn:mcp-tx:problem:`. */
  readonly problemBase?: string;
  /** Describe the API at `GET openapi.json`. Default: off. */
  readonly openapi?: boolean | OpenApiInfo;
  /** Hears what a caller is not told: the cause of a problem with a status of 500 and more. */
  readonly onError?: (error: unknown, caller: HttpCaller<Host>) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/** Bounds on a request. */
export interface HttpLimits extends BodyLimits {
  /** Bytes of a body. Default 1 Mi. */
  readonly maxBodyBytes: number;
  /** Nesting of arguments. Default 64. */
  readonly maxDepth: number;
  /** How long a body may take to arrive, ms. Default 15,000. */
  readonly bodyTimeoutMs: number;
}

/** The same, complete. */
export interface KernelSettings<Host> {
  readonly client: ReturnType<typeof lazyClient>;
  readonly options: HttpKernelOptions<Host>;
  readonly isListed: (tool: string) => boolean;
  readonly limits: HttpLimits;
  readonly problemBase: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
}

const LIMITS: HttpLimits = { maxBodyBytes: 1024 * 1024, maxDepth: 64, bodyTimeoutMs: 15_000 };

/** @throws McpTxError `CONFIG_INVALID`, naming the field */
export function kernelSettings<Host>(options: HttpKernelOptions<Host>): KernelSettings<Host> {
  const { client, authenticate, tools } = options;
  if (client === undefined || client === null) throw missing('client', 'an instance, or a function that gives one');
  if (typeof authenticate !== 'function' && authenticate !== 'single-tenant')
    throw missing('authenticate', "a function that says who asks, or explicitly 'single-tenant'");
  if (tools !== '*' && typeof tools !== 'function' && !Array.isArray(tools))
    throw missing('tools', "the names of the tools that may be called, or '*'");
  const limits = { ...LIMITS, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isInteger(value) && value > 0)) throw missing(`limits.${name}`, 'a positive whole number');
  }
  const { burst = 1, perSecond = 1 } = options.rate ?? {};
  if (!(burst >= 1 && perSecond > 0)) throw missing('rate', 'burst of 1 or more, and perSecond of more than 0');
  const names = Array.isArray(tools) ? new Set<string>(tools) : undefined;
  const clock = options.clock ?? systemClock;
  return {
    client: lazyClient(client),
    options,
    isListed: typeof tools === 'function' ? tools : (tool) => names?.has(tool) ?? true,
    limits,
    problemBase: options.problemBase ?? PROBLEM_BASE,
    clock,
    deadlines: createDeadlines(clock),
    random: systemRandom(),
  };
}

function missing(field: string, what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `${field} must be ${what}`);
}
