/** Starts the built app as a person does, on a folder and a port of its own, and looks at the payments server's own log. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Charge } from 'shop';
import { paymentLogPath, readCharges } from 'shop';

const APP = join(import.meta.dirname, '..', '..');
const NEXT = join(APP, 'node_modules', 'next', 'dist', 'bin', 'next');

/** A running app. */
export interface ShopApp extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** Money that was taken for an order: what really happened. */
  charges(orderId: string): readonly Charge[];
}

/** How to start it. */
export interface ShopAppOptions {
  readonly chargeMs?: number;
  readonly faults?: string;
}

/** Starts it, and waits until it listens. */
export async function startApp({ chargeMs = 400, faults = '' }: ShopAppOptions = {}): Promise<ShopApp> {
  const folder = mkdtempSync(join(tmpdir(), 'shop-app-'));
  const own = { SHOP_FOLDER: folder, SHOP_CHARGE_MS: String(chargeMs), SHOP_FAULTS: faults };
  const env = { ...process.env, ...own, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const };
  const args = [NEXT, 'start', '--port', '0', '--hostname', '127.0.0.1'];
  const child = spawn(process.execPath, args, { cwd: APP, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await urlOf(child);
  return {
    url,
    process: child,
    charges: (orderId) => readCharges(paymentLogPath(folder)).filter((charge) => charge.orderId === orderId),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: string): void => {
      text += chunk;
      const [, url] = /Local:\s+(http:\S+)/.exec(text) ?? [];
      if (url !== undefined && text.includes('Ready')) resolve(url);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    child.once('close', (code) => reject(new Error(`the app ended with ${code}: ${text}`)));
  });
}
