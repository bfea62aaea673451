/** The events of API Gateway, function URLs and direct invocations, as far as they are read here, and what they are as requests. */
import type { KernelRequest } from '@mcp-tx/core/http';
import { splitMount } from '@mcp-tx/core/http';

/** What Lambda tells a handler. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId?: string;
}

/** A REST API of API Gateway (payload format 1.0), or a load balancer. */
export interface ApiGatewayEvent {
  readonly httpMethod: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** An HTTP API of API Gateway (payload format 2.0), or a function URL. */
export interface HttpApiEvent {
  readonly version: '2.0';
  readonly rawPath: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: { readonly http: { readonly method: string } };
}

/** A direct invocation. Who may make one is for IAM to say. */
export interface DirectEvent {
  readonly tool_name?: unknown;
  readonly arguments?: unknown;
  readonly idempotency_key?: unknown;
}

/** Every event that the handler takes. */
export type LambdaEvent = ApiGatewayEvent | HttpApiEvent | DirectEvent;

/** What API Gateway and function URLs take for an answer. */
export interface LambdaHttpResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** The request that an event is; `undefined` for a direct one. */
export function toRequest(event: LambdaEvent, mount: string | undefined): KernelRequest<LambdaEvent> | undefined {
  if (typeof event !== 'object' || event === null) return undefined; // anybody may invoke with anything
  if (isHttpApi(event))
    return requestOf(event, event.requestContext.http.method, event.rawPath, event.rawQueryString, mount);
  if (!isApiGateway(event)) return undefined;
  return requestOf(event, event.httpMethod, event.path, queryOf(event), mount);
}

function isHttpApi(event: LambdaEvent): event is HttpApiEvent {
  return 'version' in event && event.version === '2.0' && 'requestContext' in event;
}

function isApiGateway(event: LambdaEvent): event is ApiGatewayEvent {
  return 'httpMethod' in event && typeof event.httpMethod === 'string';
}

function requestOf(
  event: ApiGatewayEvent | HttpApiEvent,
  method: string,
  pathname: string,
  query: string | undefined,
  mount: string | undefined,
): KernelRequest<LambdaEvent> {
  const { body, isBase64Encoded } = event;
  return {
    method,
    ...splitMount(pathname, mount),
    query: query ?? '',
    headers: headersOf(event),
    body: typeof body !== 'string' ? undefined : isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
    host: event,
  };
}

/** All values of a header in one, by its lower-case name: format 1.0 keeps the case of names, and the values apart. */
function headersOf(event: ApiGatewayEvent | HttpApiEvent): Readonly<Record<string, string>> {
  const all = new Map<string, string>();
  const many = 'multiValueHeaders' in event ? event.multiValueHeaders : undefined;
  for (const [name, value] of Object.entries(many ?? event.headers ?? {})) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    const earlier = all.get(name.toLowerCase());
    all.set(name.toLowerCase(), earlier === undefined ? text : `${earlier}, ${text}`);
  }
  return Object.fromEntries(all);
}

function queryOf(event: ApiGatewayEvent): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(
    event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {},
  )) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) query.append(name, one);
  }
  return query.toString();
}
