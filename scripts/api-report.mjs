// Keeps docs/api/*.api.md: a report per public entry of @mcp-tx/core, made from the built declarations, so that review
// sees every change of the public API. Checks by default; --local writes the reports. Needs a build.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { codeEntries, packages, read, root } from './lib/workspace.ts';

const local = process.argv.includes('--local');
const core = packages.find(({ folder }) => folder === join('packages', 'core'));
const faces = codeEntries(core.manifest.publishConfig.exports).map(([entry, { types }]) => ({
  report: `core${entry.slice(1).replaceAll('/', '.')}.api.md`,
  types: join(root, core.folder, types),
}));
const reports = join('docs', 'api');
const fresh = join('.tmp', 'api');
const problems = new Set(); // one declaration may be reached from several entries
const forgotten = new Map(); // name -> sentence

rmSync(join(root, fresh), { recursive: true, force: true });
for (const folder of [reports, fresh]) mkdirSync(join(root, folder), { recursive: true });

for (const { types } of faces) if (!existsSync(types)) problems.add(`${types} is missing; run: npm run build`);
if (problems.size === 0) {
  const configs = faces.map(configOf);
  // One compiler for all entries: reading the declarations is most of the time.
  const compilerState = CompilerState.create(configs[0], { additionalEntryPoints: faces.map(({ types }) => types) });
  for (const config of configs) Extractor.invoke(config, { compilerState, localBuild: local, messageCallback });
  for (const { report } of faces) compare(report);
  // A name that another entry exports can be written by a user; only one that no entry exports was forgotten.
  const exported = new Set(faces.flatMap(({ report }) => exportedNames(read(fresh, report))));
  for (const [name, problem] of forgotten) if (!exported.has(name)) problems.add(problem);
  const known = new Set(faces.map(({ report }) => report));
  for (const name of readdirSync(join(root, reports))) {
    if (known.has(name)) continue;
    if (local) rmSync(join(root, reports, name));
    else problems.add(`${join(reports, name)} belongs to no entry; run: npm run api:update`);
  }
}
for (const problem of problems) console.error(`api: ${problem}`);
console.log(`api: ${faces.length} entries ${local ? 'written to' : 'compared with'} ${reports}`);
process.exitCode = problems.size === 0 ? 0 : 1;

function compare(report) {
  const now = read(fresh, report);
  const missing = [...now.matchAll(/^\/\/ @\w+ \(undocumented\)\n(.*)$/gm)].map(([, line]) => line);
  for (const line of missing) problems.add(`${report}: no TSDoc on ${line}`);
  const committed = existsSync(join(root, reports, report)) ? read(reports, report) : '';
  if (local || committed === now) return;
  problems.add(`the public API differs from ${join(reports, report)}; if that is meant, run: npm run api:update`);
  const [before, after] = [committed, now].map((text) => new Set(text.split('\n')));
  for (const line of before.difference(after)) console.error(`  ${report} - ${line}`);
  for (const line of after.difference(before)) console.error(`  ${report} + ${line}`);
}

function exportedNames(report) {
  const declared = report.matchAll(
    /^export (?:declare |abstract )*(?:interface|type|class|function|const|enum) (\w+)/gm,
  );
  const lists = report.matchAll(/^export (?:type )?\{([^}]*)\}/gm);
  return [
    ...[...declared].map(([, name]) => name),
    ...[...lists].flatMap(([, list]) => list.match(/\w+/g) ?? []), // of `A as B` both, which forgives little
  ];
}

function messageCallback(message) {
  message.handled = true;
  if (message.logLevel !== 'error') return;
  const place = message.sourceFilePath ? ` at ${relative(root, message.sourceFilePath)}:${message.sourceFileLine}` : '';
  const problem = `${message.text} (${message.messageId}${place})`;
  const [, name] = /The symbol "([^"]+)"/.exec(message.text) ?? [];
  if (message.messageId === 'ae-forgotten-export' && name) {
    forgotten.set(
      name,
      `no entry of core exports ${name}, which the public API mentions (${message.messageId}${place})`,
    );
  } else problems.add(problem);
}

function configOf({ types, report }) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(root, core.folder, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: join(root, core.folder),
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(root, core.folder, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFolder: join(root, reports),
        reportTempFolder: join(root, fresh),
        reportFileName: report,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'error' },
          // Everything that an entry exports is public; there are no release tags.
          'ae-missing-release-tag': { logLevel: 'none' },
          // Also asks for words on members whose name says it all; the exports themselves are checked above.
          'ae-undocumented': { logLevel: 'none' },
          // A link to a name of another entry is fine, and cannot be resolved from this one.
          'ae-unresolved-link': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
}
