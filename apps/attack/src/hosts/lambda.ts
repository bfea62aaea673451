// Lambda behind something that stands in for API Gateway: payload format 2.0 over real HTTP.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LambdaHttpResult } from '@mcp-tx/lambda';
import { createLambdaHandler } from '@mcp-tx/lambda';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';

const REMAINING_MS = 20_000;

export const lambdaHost: HttpHostFixture = {
  can: ['raw-body', 'stream'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const handler = createLambdaHandler(options);
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split('?');
      const distinct = Object.entries(request.headersDistinct);
      const headers = Object.fromEntries(distinct.map(([name, values = []]) => [name, values.join(',')]));
      const body = chunks.length === 0 ? null : Buffer.concat(chunks).toString('base64');
      const requestContext = { http: { method: request.method ?? 'GET' } };
      const event = {
        version: '2.0',
        rawPath,
        rawQueryString,
        headers,
        body,
        isBase64Encoded: true,
        requestContext,
      } as const;
      const context = { getRemainingTimeInMillis: () => REMAINING_MS };
      const result = (await handler(event, context)) as LambdaHttpResult;
      response.writeHead(result.statusCode, result.headers).end(result.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod`,
      async close() {
        server.close();
        await client.close({ graceMs: 0 });
        server.closeAllConnections();
      },
    };
  },
};
