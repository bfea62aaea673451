/** An app that charges through a stdio server, and drains on SIGTERM. Prints its port. */
import type { AddressInfo } from 'node:net';
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { faultyStdio } from '@mcp-tx/testing/faulty-server';
import express from 'express';
import { createMcpTxRouter, drain } from '../../src/index.ts';

const client = createMcpTx({ name: 'payments', server: stdio(faultyStdio()) });
await client.initialize();
const router = createMcpTxRouter({ client, authenticate: 'single-tenant', tools: '*' });
const app = express().use('/mcp', router);
app.get('/hello', (_req, res) => void res.send('hello'));
const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
drain(server, { routers: [router], close: [client], signals: ['SIGTERM'] });
