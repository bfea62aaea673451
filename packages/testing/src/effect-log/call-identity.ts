/** Owns how one `tools/call` request is named in every log, so that effects, faults and arrivals can be matched. */

/** Who a call is, as every log of this package writes it down. */
export interface CallIdentity {
  readonly tool: string;
  readonly jsonRpcId: string | number;
  /** `attemptId` of the request's MCP-Tx metadata. */
  readonly attemptId?: string;
  /** `operationId` of the request's MCP-Tx metadata. */
  readonly operationId?: string;
}
