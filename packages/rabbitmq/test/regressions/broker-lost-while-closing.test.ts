import { startRabbitmq, startTcpProxy } from '@mcp-tx/testing/services';
import { afterAll, expect, it } from 'vitest';
import { Link } from '../../src/link.ts';
import { queuesOf } from '../../src/queue-options.ts';
import { urlOf } from '../support/broker.ts';

const service = await startRabbitmq();
afterAll(() => service.stop());

it('a broker that dies while a connection which could not be set up is closed does not end all tries', async () => {
  await using proxy = await startTcpProxy(service.port);
  let tries = 0;
  const link = new Link(queuesOf({ url: urlOf(proxy) }), async () => {
    tries += 1;
    if (tries > 1) return 'up';
    proxy.mute(); // the answer to the close that follows never comes
    setTimeout(() => proxy.cut(), 50);
    throw new Error('the queue has no leader yet');
  });
  expect((await link.ready(3_000)).parts).toBe('up');
  expect(tries).toBe(2);
  await link.close();
});

it('nor does one that dies while a channel is closed', async () => {
  await using proxy = await startTcpProxy(service.port);
  let tries = 0;
  const link = new Link(queuesOf({ url: urlOf(proxy) }), async (model) => {
    tries += 1;
    if (tries > 1) return 'up';
    const channel = await model.createChannel();
    proxy.mute();
    setTimeout(() => proxy.cut(), 50);
    await channel.close(); // which the library leaves open for ever
    return 'never';
  });
  expect((await link.ready(3_000)).parts).toBe('up');
  expect(tries).toBe(2);
  await link.close();
});
