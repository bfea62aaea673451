/** Takes orders over HTTP and puts them into the queue; tells what became of them. It never calls a tool itself. */
import type { AddressInfo } from 'node:net';
import { createToolQueue, fromPrev, jobIdOf, problemOfReason } from '@mcp-tx/bullmq';
import { mcpTxErrorHandler } from '@mcp-tx/express';
import express from 'express';
import { shopQueue } from './place.ts';

const queue = createToolQueue(shopQueue());
const app = express().disable('x-powered-by').use(express.json());

app.post('/orders/:id/charge', async (request, response) => {
  const { id } = request.params;
  const { amount } = request.body as { readonly amount?: unknown };
  const put = await queue.enqueue('charge', { orderId: id, amount }, { idempotencyKey: `order:${id}` });
  response.status(202).location(`/jobs/${put.jobId}`).json(put);
});

app.post('/orders/:id/charge-and-list', async (request, response) => {
  const { id } = request.params;
  const { amount } = request.body as { readonly amount?: unknown };
  const steps = [
    { tool: 'charge', args: { orderId: id, amount } },
    { tool: 'list_charges', args: { orderId: fromPrev('/orderId') } },
  ];
  const put = await queue.chain(steps, { idempotencyKey: `order-and-list:${id}` });
  response.status(202).location(`/jobs/${put.jobId}`).json(put);
});

app.get('/jobs/:id', async (request, response) => {
  const job = await queue.queue.getJob(request.params.id);
  if (job !== undefined && !job.finishedOn) {
    response.status(202).json({ state: await job.getState(), progress: job.progress });
    return;
  }
  const { result, meta } = await queue.result(request.params.id); // or the problem of a dead letter
  response.json({ result: result.structured, isError: result.isError === true, meta });
});

app.get('/orders/:id', (request, response) => {
  response.redirect(303, `/jobs/${jobIdOf(undefined, `order:${request.params.id}`)}`);
});

app.get('/dead-letters', async (_request, response) => {
  const failed = await queue.queue.getFailed();
  response.json(
    failed.map(({ id, name, data, failedReason }) => {
      const { arguments: args } = data as { readonly arguments?: unknown };
      return { jobId: id, tool: name, arguments: args, problem: problemOfReason(failedReason) };
    }),
  );
});

app.use(mcpTxErrorHandler({ onlyMcpTx: false }));

const server = app.listen(Number(process.env.PORT ?? 3_003), '127.0.0.1', (error) => {
  if (error !== undefined) throw error;
  console.log(`The shop is open at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close(() => void queue.close().then(() => process.exit(0)));
    server.closeIdleConnections();
  });
}
