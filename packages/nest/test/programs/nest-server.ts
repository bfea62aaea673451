// A Nest application in a process of its own, for tests that end it. Decorators are called: types are stripped here, not compiled.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { McpTxModule } from '../../src/index.ts';
import { payments } from '../support/payments.ts';

const [platform, chargeMs] = process.argv.slice(2);
const books = await payments();
books.chargeMs = Number(chargeMs);

class App {}
Module({ imports: [McpTxModule.forRoot({ ...books.options, http: { tools: ['charge'] } })] })(App);

const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
const app = await NestFactory.create(App, adapter, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
