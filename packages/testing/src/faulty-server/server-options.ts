/** Owns the command line of the two server executables: how options become arguments and arguments become options. */
import { parseArgs } from 'node:util';
import type { Script } from './script.ts';
import { loadScript } from './script.ts';

/** A server that fails already when a client connects. */
export type StdioMode = 'exit-at-once' | 'garbage-at-start' | 'silent';

/** An HTTP endpoint that is no working MCP server: it never answers, serves a page, or nobody listens on its port. */
export type HttpMode = 'silent' | 'not-mcp' | 'refuse';

/** What every faulty server can be told. */
export interface ServerOptions {
  /** Steps of faults; without one the server is healthy. */
  readonly script?: Script;
  /** Path of the effect log. */
  readonly effectLog?: string;
  /** Path of the file that injected faults are written to. */
  readonly faultsLog?: string;
  /** Path of the file that keeps the script's place across restarts. */
  readonly state?: string;
  /** Dedupe by MCP-Tx metadata and announce it. */
  readonly aware?: boolean;
  readonly mode?: StdioMode | HttpMode;
  /** HTTP: listen here instead of on a free port. */
  readonly port?: number;
  /** HTTP: answer with JSON bodies instead of event streams. */
  readonly json?: boolean;
  /** End when stdin ends, so that the server cannot outlive who started it. */
  readonly exitWithParent?: boolean;
}

/** The options as command line arguments. */
export function toArguments(options: ServerOptions): string[] {
  const { script, effectLog, faultsLog, state, aware, mode, port, json, exitWithParent } = options;
  const given = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}=${value}`];
  return [
    ...given('script', script === undefined ? undefined : JSON.stringify(script)),
    ...given('effect-log', effectLog),
    ...given('faults-log', faultsLog),
    ...given('state', state),
    ...given('mode', mode),
    ...given('port', port),
    ...(aware ? ['--aware'] : []),
    ...(json ? ['--json'] : []),
    ...(exitWithParent ? ['--exit-with-parent'] : []),
  ];
}

/** Reads the process's arguments back. */
export function fromArguments(args: readonly string[]): ServerOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      script: text,
      'effect-log': text,
      'faults-log': text,
      state: text,
      mode: text,
      port: text,
      aware: flag,
      json: flag,
      'exit-with-parent': flag,
    },
  });
  return {
    script: loadScript(values.script),
    aware: values.aware,
    json: values.json,
    exitWithParent: values['exit-with-parent'],
    ...(values['effect-log'] === undefined ? {} : { effectLog: values['effect-log'] }),
    ...(values['faults-log'] === undefined ? {} : { faultsLog: values['faults-log'] }),
    ...(values.state === undefined ? {} : { state: values.state }),
    ...(values.mode === undefined ? {} : { mode: values.mode as StdioMode | HttpMode }),
    ...(values.port === undefined ? {} : { port: Number(values.port) }),
  };
}
