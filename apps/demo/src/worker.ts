/** The program that does the work, the ordinary way or with MCP-Tx: a process of its own, so that it can be killed. */
import type { Job, Tell } from './job.ts';

const job = JSON.parse(process.argv[2] ?? '') as Job;
const tell: Tell = (message) => void process.send?.(message);
const abandoned = (): never => process.exit(1); // whoever started this is gone: nobody wants the work any more

process.once('disconnect', abandoned);
if (job.side === 'raw') await (await import('./raw/work-raw.ts')).workRaw(job, tell);
else await (await import('./mcp-tx/work-with-tx.ts')).workWithTx(job, tell);
process.off('disconnect', abandoned);
process.disconnect();
