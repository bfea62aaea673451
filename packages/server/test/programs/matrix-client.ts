// The client of a cell in a process of its own: `matrix-client.ts <cell as JSON> <folder> <orders> <url>`. It calls for each order
// and says how that ended, as JSON; a second one goes on with the ledger that the first one left.
import { benchIn } from '../matrix/bench.ts';
import type { Cell } from '../matrix/cells.ts';
import { open } from '../matrix/connect.ts';
import { call } from '../matrix/told.ts';

const [cell = '{}', folder = '', orders = '', url] = process.argv.slice(2);
const tx = await open(JSON.parse(cell) as Cell, benchIn(folder), url, true);
const told = await Promise.all(orders.split(',').map((orderId) => call(tx, orderId)));
process.stdout.write(JSON.stringify(told), () => process.exit(0));
