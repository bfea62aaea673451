/** The names under which Nest finds what belongs to a connection. */
import { Inject } from '@nestjs/common';

/** Injection token of a connection's `McpTx`. Without a name: of the default connection. */
export function getMcpTxToken(connectionName?: string): string {
  return named('McpTx', connectionName);
}

/** Injection token of a connection's {@link McpTxService}. The default connection's is the class itself, too. */
export function getMcpTxServiceToken(connectionName?: string): string {
  return named('McpTxService', connectionName);
}

/** Injects the `McpTx` of a connection: the whole instance, bound to no request. */
export function InjectMcpTx(connectionName?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getMcpTxToken(connectionName));
}

/** Injects the {@link McpTxService} of a connection: the instance as the request at hand sees it. */
export function InjectMcpTxService(connectionName?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getMcpTxServiceToken(connectionName));
}

function named(what: string, connectionName: string | undefined): string {
  return connectionName === undefined ? what : `${what}:${connectionName}`;
}
