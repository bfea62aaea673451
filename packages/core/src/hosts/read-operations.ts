/** Answers `GET operations` and `GET operations/:id`: to each principal its own, as if there were no others. */
import type { ListQuery } from '../ledger/ledger-reader.ts';
import type { OperationState } from '../ledger/record.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { OperationList } from './api-types.ts';
import { bindScope } from './bind-scope.ts';
import { HttpError } from './http-error.ts';
import type { KernelRequest, KernelResponse } from './http-message.ts';
import { jsonResponse } from './json-response.ts';
import type { KernelSettings, Principal } from './kernel-options.ts';
import { operationView } from './operation-view.ts';

const STATES: ReadonlySet<string> = new Set<OperationState>(['claimed', 'sent', 'completed', 'failed', 'in_doubt']);
const PAGE = 100;

/** @throws McpTxError `OPERATION_NOT_FOUND`, also for another principal's */
export async function readOperation<Host>(
  { client, clock, problemBase }: KernelSettings<Host>,
  principal: Principal | undefined,
  operationId: string,
): Promise<KernelResponse> {
  const scope = bindScope(client, { scope: principal?.scope, clock });
  const record = /^op_[0-9a-z]{26}$/.test(operationId) ? await scope.getOperation(operationId) : undefined;
  if (record === undefined) throw new McpTxError('OPERATION_NOT_FOUND', 'there is no such operation');
  return jsonResponse(200, operationView(record, problemBase));
}

/** @throws HttpError `REQUEST_INVALID`; McpTxError `CONFIG_INVALID` when the ledger cannot be listed */
export async function listOperations<Host>(
  { client, clock, problemBase }: KernelSettings<Host>,
  principal: Principal | undefined,
  request: KernelRequest<Host>,
): Promise<KernelResponse> {
  const scope = bindScope(client, { scope: principal?.scope, clock });
  const page = await scope.listOperations(queryOf(request.query ?? ''));
  const body: OperationList = {
    operations: page.records.map((record) => operationView(record, problemBase)),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
  return jsonResponse(200, body);
}

function queryOf(query: string): ListQuery {
  const given = new URLSearchParams(query);
  const states = given.getAll('state');
  const [tool, cursor, limit = String(PAGE)] = ['tool', 'cursor', 'limit'].map((name) => given.get(name) ?? undefined);
  for (const name of given.keys()) {
    if (!['state', 'tool', 'cursor', 'limit'].includes(name)) throw invalid(`${name.slice(0, 40)} is not known`);
  }
  if (states.some((state) => !STATES.has(state))) throw invalid(`state is one of ${[...STATES].join(', ')}`);
  if (!/^[1-9]\d?$|^100$/.test(limit)) throw invalid(`limit is a whole number from 1 to ${PAGE}`);
  return {
    limit: Number(limit),
    ...(states.length === 0 ? {} : { states: states as OperationState[] }),
    ...(tool === undefined ? {} : { tool }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function invalid(problem: string): HttpError {
  return new HttpError('REQUEST_INVALID', `the query: ${problem}`);
}
