/** Proves that `next dev` has one payments server, across bundles and hot reloads. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startApp } from './support/shop-app.ts';

const APP = join(import.meta.dirname, '..');
const PARTS = ['app', 'components', 'lib', 'instrumentation.ts', 'next.config.ts', 'proxy.ts'];

/** A copy that may be edited. It lies inside the app, so that it finds what the app imports. */
function copyApp(): string {
  mkdirSync(join(APP, '.tmp'), { recursive: true });
  const copy = mkdtempSync(join(APP, '.tmp', 'dev-'));
  for (const part of PARTS) cpSync(join(APP, part), join(copy, part), { recursive: true });
  const tsconfig = { extends: '../../tsconfig.build.json', include: ['**/*'] };
  writeFileSync(join(copy, 'tsconfig.build.json'), JSON.stringify(tsconfig));
  return copy;
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}

it.skipIf(!existsSync('/proc/self/task'))(
  'starts one payments server, however often its modules are loaded again',
  async () => {
    const app = copyApp();
    try {
      await using server = await startApp({ mode: 'dev', app });
      const pages = () => fetch(server.url).then((answer) => answer.text());
      const list = async (orderId: string) => {
        const body = JSON.stringify({ arguments: { orderId } });
        const headers = { 'content-type': 'application/json' };
        return (await fetch(`${server.url}/api/payments/execute/list_charges`, { method: 'POST', headers, body }))
          .status;
      };
      expect(await pages()).toContain('Charge an order');
      expect(await list('0')).toBe(200);
      const pids = server.pidsOf('payments-server.ts');
      expect(pids).toHaveLength(1);
      for (const round of [1, 2, 3]) {
        edit(join(app, 'lib', 'tool-form.ts'), round === 1 ? "'Order'" : `'Order ${round - 1}'`, `'Order ${round}'`);
        edit(
          join(app, 'lib', 'shop.ts'),
          '/** Both, by name.',
          `export const round${round} = ${round};\n\n/** Both, by name.`,
        );
        await vi.waitFor(async () => expect(await pages()).toContain(`Order ${round}`), {
          timeout: 30_000,
          interval: 200,
        });
        expect(await list(String(round))).toBe(200);
        expect(server.pidsOf('payments-server.ts')).toEqual(pids);
      }
    } finally {
      rmSync(app, { recursive: true, force: true });
    }
  },
  120_000,
);
