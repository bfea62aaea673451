// SIGTERM with a call under way and a client that keeps its connection: the answer is delivered, and the process is gone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PLATFORMS, post } from './support/application.ts';

const program = fileURLToPath(new URL('./programs/nest-server.ts', import.meta.url));

const paths = ['/mcp/execute/charge', '/charge'];
const cases = PLATFORMS.flatMap((platform) => paths.map((path) => [platform, path] as const));

it.each(cases)(
  'on %s: %s',
  async (platform, path) => {
    const child = spawn(process.execPath, ['--conditions=mcp-tx:source', program, platform, '600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const agent = new Agent({ keepAlive: true });
      const idle = request(`${url}/mcp/livez`, { agent }).end();
      const [answer] = await once(idle, 'response');
      answer.resume();
      await once(answer, 'end'); // from here on its connection is idle
      const charging = post(`${url}${path}`, { arguments: { orderId: '1' } }, { 'idempotency-key': 'order:1' });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const toldAt = performance.now();
      child.kill('SIGTERM');
      const charged = await charging;
      expect(charged).toMatchObject({ status: path === '/charge' ? 201 : 200 });
      expect(charged.text).toContain('receipt');
      expect(charged.headers.get('connection')).toBe('close');
      const answeredAt = performance.now();
      await exited;
      expect(answeredAt - toldAt).toBeGreaterThan(100); // it really was under way
      expect(performance.now() - answeredAt).toBeLessThan(1_000);
      agent.destroy();
    } finally {
      child.kill('SIGKILL');
    }
  },
  20_000,
);
