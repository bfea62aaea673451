/** The face `@mcp-tx/testing/faulty-server`: servers that fail on command, a proxy that makes real ones fail, and the log that says what happened. */
export type { CallIdentity } from './effect-log/call-identity.ts';
export type { Effect, EffectLog } from './effect-log.ts';
export { countEffects, openEffectLog, readEffectLog } from './effect-log.ts';
export type { FaultPlan, ProxyFaultKind } from './fault-proxy/plan.ts';
export type { ProxyFault } from './fault-proxy/proxy-log.ts';
export { readProxyFaults } from './fault-proxy/proxy-log.ts';
export type { FaultProxy, FaultProxyOptions } from './fault-proxy.ts';
export { faultProxy } from './fault-proxy.ts';
export type { StdioCommand } from './faulty-server/executable.ts';
export type { CallFault, Fault, FaultKind, HttpFault, StdioFault, When } from './faulty-server/fault.ts';
export type { Arrival, FaultReport, InjectedFault, UnusedStep } from './faulty-server/fault-log.ts';
export { readFaults } from './faulty-server/fault-log.ts';
export type {
  FaultyHttp,
  FaultyHttpOptions,
  FaultyHttpProcess,
  FaultyHttpServer,
} from './faulty-server/launch-http.ts';
export { spawnFaultyHttpServer, startFaultyHttpServer } from './faulty-server/launch-http.ts';
export type { FaultyStdio, FaultyStdioOptions } from './faulty-server/launch-stdio.ts';
export { faultyStdio } from './faulty-server/launch-stdio.ts';
export type { At, FaultName, Script, ScriptStep } from './faulty-server/script.ts';
export type { HttpMode, StdioMode } from './faulty-server/server-options.ts';
