// The rules about who may import whom and what may stand in a source file. Each function returns the places that break
// a rule, as sentences; empty is good.
import { dirname, posix } from 'node:path';
import { importedModules, lineOf, readTypeScript } from './typescript-source.ts';

/** A source file: its path below `src/`, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The layers of core, lowest first. A file imports from its own layer and from lower ones. */
const CORE_LAYERS = [
  'runtime',
  'protocol',
  'outcome',
  'policy',
  'ledger',
  'engine',
  'connect',
  'session',
  'hub',
  'hosts',
] as const;

/** The longest a source file may be. */
const MAX_LINES = 250;

/** Time, chance and crypto: what a test must be able to hold in its hand. Only core's runtime/ touches them. */
const AMBIENT: readonly (readonly [string, RegExp])[] = [
  ['Date.now', /\bDate\s*\.\s*now\b/g],
  ['new Date', /\bnew\s+Date\b/g],
  ['performance.now', /\bperformance\s*\.\s*now\b/g],
  ['setTimeout', /\bsetTimeout\b/g],
  ['setInterval', /\bsetInterval\b/g],
  ['setImmediate', /\bsetImmediate\b/g],
  ['Math.random', /\bMath\s*\.\s*random\b/g],
  ['randomUUID', /\brandomUUID\b/g],
];
const AMBIENT_MODULES = /^(node:)?(crypto|timers|timers\/promises|perf_hooks)$/;

/** Imports of core that point upwards, sideways out of src, or at a folder that is no layer. */
export function brokenArrows(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const own = layerOf(file.path);
    if (own === -1)
      return [`${file.path}: "${file.path.split('/')[0]}" is not a layer; the layers are ${CORE_LAYERS.join(', ')}`];
    return importedModules(readTypeScript(file.text)).flatMap(({ specifier, line }) => {
      const place = `${file.path}:${line}`;
      if (/^@mcp-tx\//.test(specifier))
        return [`${place} imports ${specifier}; core imports nothing of this workspace`];
      if (!specifier.startsWith('.')) return [];
      const target = posix.join(dirname(file.path), specifier);
      if (target.startsWith('..')) return [`${place} imports ${specifier}, which is outside of src`];
      const other = layerOf(target);
      return other <= own ? [] : [`${place} imports ${specifier}; ${layerName(own)} may not know ${layerName(other)}`];
    });
  });
}

/** Places outside of core's runtime/ that read a clock, set a timer, roll dice or use crypto. */
export function ambientUses(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !path.startsWith('runtime/'))
    .flatMap(({ path, text }) => {
      const source = readTypeScript(text);
      const names = AMBIENT.flatMap(([name, pattern]) =>
        [...source.code.matchAll(pattern)].map(({ index }) => `${path}:${lineOf(text, index)} uses ${name}`),
      );
      const modules = importedModules(source)
        .filter(({ specifier }) => AMBIENT_MODULES.test(specifier))
        .map(({ specifier, line }) => `${path}:${line} imports ${specifier}`);
      return [...names, ...modules];
    });
}

/** Files longer than the allowed, `export *`, default exports, and files that are named after nothing. */
export function untidyFiles(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const { code } = readTypeScript(text);
    const lines = text.trimEnd().split('\n').length;
    const at = (pattern: RegExp) => [...code.matchAll(pattern)].map(({ index }) => `${path}:${lineOf(text, index)}`);
    return [
      ...(lines > MAX_LINES ? [`${path} has ${lines} lines; the most is ${MAX_LINES}`] : []),
      ...(/(^|\/)(utils?|helpers?|misc|common)\.ts$/.test(path) ? [`${path} is named after nothing that it owns`] : []),
      ...at(/\bexport\s*(type\s*)?\*/g).map((place) => `${place} exports *; name what is public`),
      ...at(/\bexport\s+default\b|\bas\s+default\b/g).map((place) => `${place} has a default export`),
    ];
  });
}

/** What a face drags in: the packages that are imported by it and by everything it reaches. */
export function packagesReachedFrom(face: string, files: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string) => {
    const file = byPath.get(path);
    if (!file || seen.has(path)) return;
    seen.add(path);
    for (const { specifier } of importedModules(readTypeScript(file.text))) {
      if (specifier.startsWith('.')) visit(posix.join(dirname(path), specifier));
      else if (!specifier.startsWith('node:')) found.add(packageOf(specifier));
    }
  };
  visit(face);
  return found;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Faces are files in src itself; they stand above all layers. */
function layerOf(path: string): number {
  const [folder = '', ...rest] = path.split('/');
  return rest.length === 0 ? CORE_LAYERS.length : (CORE_LAYERS as readonly string[]).indexOf(folder);
}

function layerName(index: number): string {
  return CORE_LAYERS[index] ?? 'a face';
}
