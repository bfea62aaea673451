/** Proves that the demo keeps what it says, in a short size, and that it leaves nothing behind when it is stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000 }); // it takes ten seconds; a busy machine may need much longer

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const KINDS = ['drop-request', 'drop-response', 'kill-before', 'kill-during', 'kill-after', 'kill-worker'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the demo with a temporary folder of its own. */
function start(...flags: string[]) {
  const env = { ...process.env, TMPDIR: folder, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
  const child = spawn(process.execPath, ['--conditions=mcp-tx:source', MAIN, ...flags], { env, stdio: 'pipe' });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return { child, ended };
}

it('does nothing twice and loses nothing with MCP-Tx, where the retry loop does both', async () => {
  const { code, stdout, stderr } = await start('--json', '--calls', '12').ended;
  const { ok, seed, figures, faults, violations } = JSON.parse(stdout);
  expect(violations).toEqual([]);
  expect([ok, code, seed]).toEqual([true, 0, 1]);
  expect(figures).toMatchObject({ 'raw.calls': 48, 'mcpTx.calls': 48, 'mcpTx.effects': 48 });
  expect(figures).toMatchObject({ 'mcpTx.duplicates': 0, 'mcpTx.lost': 0, 'mcpTx.filesystemInDoubtLeft': 0 });
  expect(figures['raw.duplicates']).toBeGreaterThan(0);
  expect(figures['raw.lost']).toBeGreaterThan(0);
  expect(figures['raw.effects']).toBe(48 - figures['raw.lost'] + figures['raw.duplicates']);
  expect(figures['mcpTx.inDoubtListed']).toBe(figures['mcpTx.inDoubt']);
  expect(figures['mcpTx.resolved']).toBe(figures['mcpTx.inDoubt']);
  for (const kind of KINDS)
    expect([faults[kind], faults[`raw.${kind}`]]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(stderr).toContain('What it means');
  expect(stderr).not.toContain('\u001b');
  expect(readdirSync(folder)).toEqual([]);
});

it('stops soon and cleans up when it is told to', async () => {
  const { child, ended } = start('--json', '--calls', '12');
  await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1), 30_000);
  const [run = ''] = readdirSync(folder);
  await vi.waitFor(() => expect(existsSync(join(folder, run, 'mcpTx', 'ledger.db'))).toBe(true), 30_000);
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(JSON.parse(stdout).violations).toContainEqual(expect.objectContaining({ id: 'interrupted' }));
  expect(readdirSync(folder)).toEqual([]);
});

it('refuses a number of calls that is too small for all the faults', async () => {
  const { code, stderr } = await start('--calls', '3').ended;
  expect(code).toBe(2);
  expect(stderr).toContain('--calls must be a whole number from 12 to 400');
});
