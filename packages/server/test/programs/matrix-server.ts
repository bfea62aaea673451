// The server of a cell of the matrix: `matrix-server.ts <line> <folder> [<port>]`, over HTTP with a port, over stdio without.
import { benchIn } from '../matrix/bench.ts';
import type { ServerKind } from '../matrix/cells.ts';
import { serveOverHttp, serveOverStdio } from '../matrix/serve.ts';

const [line, folder = '', port] = process.argv.slice(2);
const bench = benchIn(folder);
process.stdout.on('error', () => process.exit(0)); // its client was killed
if (port === undefined) await serveOverStdio(line as ServerKind, bench);
else console.log(await serveOverHttp(line as ServerKind, bench, Number(port)));
