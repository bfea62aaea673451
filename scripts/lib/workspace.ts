// What is in this repository: its packages, its apps and their source files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder, without a slash at its end. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

type Dependencies = Readonly<Record<string, string>>;
type ExportsMap = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** A package.json, as far as checks look into it. */
interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly description?: string;
  readonly sideEffects?: boolean;
  readonly files?: readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: ExportsMap;
  readonly publishConfig?: { readonly access?: string; readonly exports?: ExportsMap };
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
}

/** A folder of the workspace with a package.json. */
export interface Member {
  /** Below the root: `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Published packages: everything in packages/. */
export const packages: readonly Member[] = members('packages');

/** Private programs: everything in apps/. */
export const apps: readonly Member[] = members('apps');

/** The text of a file below the root. */
export function read(...path: string[]): string {
  return readFileSync(join(root, ...path), 'utf8');
}

/** Files below a folder, as paths below the root; nothing that is installed or built. */
export function filesIn(folder: string, endings: readonly string[]): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(node_modules|dist|\..*)$/.test(entry.name) ? [] : filesIn(path, endings);
    return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

/** The entries of a package that hold code: `.` -> its conditions. */
export function codeEntries(map: ExportsMap = {}): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  return Object.entries(map).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [[entry, target] as const],
  );
}

/** A path below the root, with slashes, for messages and generated files. */
export function shown(path: string): string {
  return relative(root, join(root, path)).replaceAll('\\', '/');
}

function members(group: string): readonly Member[] {
  return readdirSync(join(root, group))
    .map((name) => join(group, name))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(read(folder, 'package.json')) as Manifest }));
}
