/** The module: one `forRoot` per connection, `forFeature` for classes with local tools. */

import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { hostDefaults } from '@mcp-tx/core/http';
import type {
  ConfigurableModuleAsyncOptions,
  ConfigurableModuleCls,
  DynamicModule,
  FactoryProvider,
  OnModuleInit,
  Provider,
  Type,
} from '@nestjs/common';
import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ConnectionLife } from './connection-life.ts';
import { mountHttpApi } from './http-mount.ts';
import { McpTxExceptionFilter } from './mcp-tx-exception-filter.ts';
import { McpTxInterceptor } from './mcp-tx-interceptor.ts';
import { McpTxService } from './mcp-tx-service.ts';
import type {
  ConnectionOptions,
  McpTxModuleExtras,
  McpTxModuleOptions,
  McpTxOptionsFactory,
} from './module-options.ts';
import { registerReliableTools } from './reliable-tool.ts';
import { getMcpTxServiceToken, getMcpTxToken } from './tokens.ts';

/** Argument of `McpTxModule.forRootAsync`: `useFactory` with `inject`, `useClass` or `useExisting`, and the extras. */
export type McpTxModuleAsyncOptions = ConfigurableModuleAsyncOptions<McpTxModuleOptions, 'createMcpTxOptions'> &
  McpTxModuleExtras;

/** Every extra has to stand here: what does not is taken for an option. */
const EXTRAS: Required<McpTxModuleExtras> = {
  connectionName: undefined,
  isGlobal: true,
  exceptionFilter: false,
  interceptor: true,
};
const OPTIONS = Symbol('mcp-tx.module-options');
const KERNEL = Symbol('mcp-tx.http-kernel');

const built = new ConfigurableModuleBuilder<McpTxModuleOptions>({ optionsInjectionToken: OPTIONS })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createMcpTxOptions' satisfies keyof McpTxOptionsFactory)
  .setExtras<McpTxModuleExtras>(EXTRAS, withConnection)
  .build();

type BuiltModule = ConfigurableModuleCls<McpTxModuleOptions, 'forRoot', 'createMcpTxOptions', McpTxModuleExtras>;
const ConfigurableModule: BuiltModule = built.ConfigurableModuleClass;

/**
 * `McpTxModule.forRoot(options)` and `forRootAsync(…)` make a connection, the default one or one with a `connectionName`.
 * A connection is made once, whatever imports it.
 */
export class McpTxModule extends ConfigurableModule {
  /**
   * Makes the `@ReliableTool()` methods of providers local tools of a connection, once the application starts. The classes
   * themselves are provided by your modules, with whatever they inject. It makes no connection.
   */
  static forFeature(tools: readonly Type[], connectionName?: string): DynamicModule {
    const registration: FactoryProvider<OnModuleInit> = {
      provide: Symbol('mcp-tx.tool-registration'),
      inject: [getMcpTxToken(connectionName), ModuleRef],
      useFactory: (client: McpTx, modules: ModuleRef) => ({
        onModuleInit: () => {
          for (const tool of tools) registerReliableTools(client, modules.get<object>(tool, { strict: false }));
        },
      }),
    };
    return { module: McpTxModule, providers: [registration] };
  }
}

Module({})(McpTxModule);

function withConnection(definition: DynamicModule, extras: McpTxModuleExtras): DynamicModule {
  const { connectionName, isGlobal, exceptionFilter, interceptor } = { ...EXTRAS, ...extras };
  const client = getMcpTxToken(connectionName);
  const service = getMcpTxServiceToken(connectionName);
  const own: Provider[] = [
    {
      provide: client,
      inject: [OPTIONS],
      useFactory: instanceOf,
    },
    { provide: KERNEL, inject: [client, OPTIONS, HttpAdapterHost], useFactory: mountHttpApi },
    {
      provide: ConnectionLife,
      inject: [client, KERNEL, OPTIONS],
      useFactory: (...parts: ConstructorParameters<typeof ConnectionLife>) => new ConnectionLife(...parts),
    },
    {
      provide: service,
      inject: [client, OPTIONS],
      useFactory: (tx: McpTx, { authenticate }: McpTxModuleOptions) => new McpTxService(tx, authenticate),
    },
  ];
  const shared: Provider[] = connectionName === undefined ? [{ provide: McpTxService, useExisting: service }] : [];
  if (exceptionFilter) own.push({ provide: APP_FILTER, useClass: McpTxExceptionFilter });
  if (interceptor)
    own.push({
      provide: APP_INTERCEPTOR,
      inject: [ConnectionLife],
      useFactory: (life: ConnectionLife) => new McpTxInterceptor(() => life.isEnding),
    });
  return {
    ...definition,
    global: isGlobal,
    providers: [...(definition.providers ?? []), ...own, ...shared],
    exports: [client, service, ...(connectionName === undefined ? [McpTxService] : [])],
  };
}

function instanceOf(options: McpTxModuleOptions): McpTx {
  return 'client' in options ? options.client : createMcpTx(optionsOf(options));
}

/** What is for `createMcpTx`: the user's word before the environment's, and that before the defaults of web hosts. */
function optionsOf(options: ConnectionOptions & McpTxOptions): McpTxOptions {
  const { authenticate: _a, http: _h, eager: _e, beforeCloseMs: _b, graceMs: _g, ...own } = options;
  const { timeoutMs, retry } = hostDefaults('web', process.env);
  return { timeoutMs, ...own, retry: { ...retry, ...own.retry } };
}
