// A process of its own that opens a ledger for the first time and claims one operation.

import { requestOf } from './operations.ts';
import type { Kind } from './remote.ts';
import { connectTo, openLedger } from './remote.ts';

const [argument = '', number = ''] = process.argv.slice(2);
const { kind, port, name } = JSON.parse(argument) as {
  readonly kind: Kind;
  readonly port: number;
  readonly name: string;
};
const database = connectTo(kind, port, name, 2);
const { kind: answer } = await openLedger(database).claim(requestOf(`order:${number}`));
await database.end();
process.exit(answer === 'claimed' ? 0 : 1);
