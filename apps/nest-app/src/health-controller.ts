/** Health, for whatever watches the shop. */
import { McpTxHealthIndicator } from '@mcp-tx/nest/terminus';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly connections: McpTxHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.connections.isHealthy('payments'),
      () => this.connections.isHealthy('catalogue', 'catalogue'),
    ]);
  }
}
