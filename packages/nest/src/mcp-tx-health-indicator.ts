/** Tells Terminus how a connection is. */
import type { McpTx } from '@mcp-tx/core';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { HealthIndicatorService } from '@nestjs/terminus';
import { getMcpTxToken } from './tokens.ts';

/** Put it into the providers of a module that imports `TerminusModule`. */
export class McpTxHealthIndicator {
  readonly #indicators: HealthIndicatorService;
  readonly #modules: ModuleRef;

  constructor(indicators: HealthIndicatorService, modules: ModuleRef) {
    this.#indicators = indicators;
    this.#modules = modules;
  }

  /** Up while calls are taken, and so also before the first one has connected; what `McpTx.health()` says stands beside it. */
  async isHealthy<const Key extends string>(key: Key, connectionName?: string): Promise<HealthIndicatorResult<Key>> {
    const client = this.#modules.get<McpTx>(getMcpTxToken(connectionName), { strict: false });
    const report = await client.health();
    const details = { ...report, state: report.status } as Record<string, unknown>;
    delete details.status; // Terminus has a word of its own there
    const indicator = this.#indicators.check(key);
    return report.status === 'ok' || report.status === 'degraded' ? indicator.up(details) : indicator.down(details);
  }
}

Injectable()(McpTxHealthIndicator);
Inject(HealthIndicatorService)(McpTxHealthIndicator, undefined, 0);
Inject(ModuleRef)(McpTxHealthIndicator, undefined, 1);
