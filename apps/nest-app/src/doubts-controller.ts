/** Doubts: what an operator sees, and the word with which they end one. */
import type { McpTx } from '@mcp-tx/core';
import { InjectMcpTx } from '@mcp-tx/nest';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';

/** An operator's word. */
interface Word {
  readonly outcome: 'completed' | 'not_executed';
  readonly by: string;
  readonly reason: string;
}

@Controller('doubts')
export class DoubtsController {
  constructor(@InjectMcpTx() private readonly payments: McpTx) {}

  @Get()
  async list(): Promise<object> {
    const { records } = await this.payments.listOperations({ states: ['in_doubt'], serverName: this.payments.name });
    return records.map(({ operationId, tool, idempotencyKey, sentAt }) => ({
      operationId,
      tool,
      idempotencyKey,
      sentAt,
    }));
  }

  @Post(':id')
  @HttpCode(200)
  async resolve(@Param('id') operationId: string, @Body() word: Word): Promise<object> {
    const { state } = await this.payments.resolve(operationId, word);
    return { operationId, state, audit: await this.payments.auditTrail(operationId) };
  }
}
