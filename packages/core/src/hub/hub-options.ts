/** What a user may say when making a hub, and the options of one server that follow from it. */
import { serverSource } from '../connect/server-source.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import { checkOptions } from '../session/check-options.ts';
import type { McpTxOptions } from '../session/options.ts';
import type { PinnedTools } from './tool-pins.ts';

/** Options of one server of a hub: those of `createMcpTx`, but for what the hub itself gives. */
export type HubServerOptions = Omit<McpTxOptions, 'name' | 'clock' | 'random'>;

/** Options of {@link createHub}: its servers, and the defaults of all of them. */
export interface HubOptions extends Omit<McpTxOptions, 'name' | 'server'> {
  /** The servers by name. A name is part of the identity of every operation on its server. More can be added later. */
  readonly servers?: Readonly<Record<string, HubServerOptions>>;
  /**
   * What {@link Hub.listTools} does when two servers have a tool of the same name. `refuse` (the default): it throws. `prefix`: every
   * tool is listed as `server.tool`, whether there is another of its name or not, so that names do not change with what is up.
   */
  readonly collisions?: 'refuse' | 'prefix';
  /** Digests of tool definitions that were seen before, from {@link Hub.pins}; `false`: a changed definition is no reason to refuse a call. */
  readonly pins?: PinnedTools | false;
}

/** What the hub keeps for servers that are added later. */
export type HubDefaults = Omit<HubOptions, 'servers' | 'collisions' | 'pins'>;

const MAX_NAME_LENGTH = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

/** Takes a hub's options apart. @throws McpTxError `CONFIG_INVALID` */
export function hubDefaults(options: HubOptions): HubDefaults {
  if (!isObject(options)) throw invalid('createHub takes an object of options');
  const { servers, collisions, pins, ...defaults } = options;
  if (servers !== undefined && !isObject(servers)) throw invalid('servers must be an object of options by server name');
  if (collisions !== undefined && collisions !== 'refuse' && collisions !== 'prefix')
    throw invalid("collisions must be 'refuse' or 'prefix'");
  if ('server' in defaults || 'name' in defaults) throw invalid('a hub takes its servers by name, in servers');
  if (pins !== undefined && pins !== false) checkPins(pins);
  checkOptions({ ...defaults, name: 'hub', server: NO_SERVER }); // a typing error is one also before there is a server
  return defaults;
}

/** The options of the instance of one server. @throws McpTxError `CONFIG_INVALID`, naming server and field */
export function serverOptions(name: string, own: HubServerOptions, defaults: HubDefaults): McpTxOptions {
  checkServerName(name);
  if (!isObject(own)) throw invalid(`servers.${name} must be an object of options`);
  if ('name' in own)
    throw invalid(`servers.${name}.name is not for you to say: a server’s name is its name in the hub`);
  const options = merge(name, own, defaults);
  try {
    checkOptions(options);
  } catch (error) {
    throw isMcpTxError(error)
      ? new McpTxError(error.code, `servers.${name}: ${error.message}`, { cause: error })
      : error;
  }
  return options;
}

/** What a server says of itself wins over the hub's defaults; groups of settings are merged field by field, tools by name. */
function merge(name: string, own: HubServerOptions, defaults: HubDefaults): McpTxOptions {
  return {
    ...defaults,
    ...own,
    ...group('retry', own.retry, defaults.retry),
    ...group('limits', own.limits, defaults.limits),
    ...group('retryBudget', own.retryBudget, defaults.retryBudget),
    ...group('breaker', own.breaker, defaults.breaker),
    ...group('tools', own.tools, defaults.tools),
    name,
  };
}

/** `false` is no group: it says what it says. */
function group(field: keyof McpTxOptions, own: object | false | undefined, all: object | false | undefined): object {
  return isObject(own) && isObject(all) ? { [field]: { ...all, ...own } } : {};
}

function checkServerName(name: unknown): void {
  const isName = typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH && name.isWellFormed();
  if (!isName || CONTROLS.test(name))
    throw invalid(`name: a server’s name is a string of 1 to ${MAX_NAME_LENGTH} characters without control characters`);
}

function checkPins(pins: PinnedTools): void {
  const isPins =
    isObject(pins) &&
    Object.values(pins).every(
      (tools) => isObject(tools) && Object.values(tools).every((hash) => typeof hash === 'string'),
    );
  if (!isPins) throw invalid('pins must be false, or what hub.pins() gave: digests by server and tool');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', message);
}

const NO_SERVER = serverSource(() => {
  throw new McpTxError('INTERNAL', 'this source only stands in for one');
});
