/** Public face `@mcp-tx/core/protocol`: names and shapes on the wire. Every name here is public API. */
export type { TxAck } from './protocol/ack.ts';
export { readAck, readNack } from './protocol/ack.ts';
export type { CapabilitiesLike } from './protocol/capability.ts';
export {
  announcement,
  EXPERIMENTAL_ID,
  EXTENSION_ID,
  STATUS_METHOD,
  speaksMcpTx,
  WIRE_VERSION,
} from './protocol/capability.ts';
export type { TxRequestMeta } from './protocol/tx-meta.ts';
export { readRequestMeta, withRequestMeta } from './protocol/tx-meta.ts';
