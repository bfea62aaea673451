/** Owns how an executable of this package is found and started, from sources (`.ts`) and when published (`.js`). */
import { fileURLToPath } from 'node:url';

/** What any stdio transport needs to start a server; `StdioServerParameters` of the SDK. */
export interface StdioCommand {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/**
 * The path of an executable beside the calling module, with that module's own extension.
 *
 * @param from - `import.meta.url` of the caller.
 * @param name - relative path without extension, for example `./stdio-main`.
 */
export function executablePath(from: string, name: string): string {
  return fileURLToPath(new URL(name + from.slice(from.lastIndexOf('.')), from));
}

/** A command that runs an executable of this package on this very Node. */
export function nodeCommand(path: string, args: readonly string[]): StdioCommand {
  return { command: process.execPath, args: [path, ...args], env: {} };
}
