/** Public face `@mcp-tx/lambda`. Every name here is public API. */
export type {
  ApiGatewayEvent,
  DirectEvent,
  HttpApiEvent,
  LambdaContext,
  LambdaEvent,
  LambdaHttpResult,
} from './events.ts';
export type { LambdaDefaults } from './lambda-defaults.ts';
export { lambdaDefaults } from './lambda-defaults.ts';
export type { LambdaHandler, LambdaHandlerOptions } from './lambda-handler.ts';
export { createLambdaHandler } from './lambda-handler.ts';
export type { SqsBatchResult, SqsEvent, SqsHandler, SqsHandlerOptions, SqsRecord } from './sqs-handler.ts';
export { createSqsHandler } from './sqs-handler.ts';
export { createStreamingHandler } from './streaming-handler.ts';
