// The hosts that are attacked, by name.
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { expressHost } from './hosts/express.ts';
import { nodeHost } from './hosts/node.ts';

export const hosts: Readonly<Record<string, HttpHostFixture>> = { node: nodeHost, express: expressHost };
