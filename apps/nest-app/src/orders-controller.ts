/** Orders: what a customer does. Pressing the button twice is one charge, for the key is the same. */
import { IdempotencyKey, McpTxService } from '@mcp-tx/nest';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';

@Controller('orders')
export class OrdersController {
  constructor(private readonly payments: McpTxService) {}

  /** The amount is in cents. Without a header, the order itself is the key: an order is charged once. */
  @Post(':id/charge')
  @HttpCode(200)
  async charge(
    @Param('id') orderId: string,
    @Body() body: { readonly amount?: number } | undefined,
    @IdempotencyKey() idempotencyKey: string = `order:${orderId}`,
  ): Promise<object> {
    const { result, meta } = await this.payments.callTool(
      'charge',
      { orderId, amount: body?.amount },
      { idempotencyKey },
    );
    const { duplicate, attempts, operationId } = meta;
    return {
      refused: result.isError === true,
      charge: result.structured ?? result.content,
      duplicate,
      attempts,
      operationId,
    };
  }

  @Get(':id/charges')
  async charges(@Param('id') orderId: string): Promise<unknown> {
    return (await this.payments.callTool('list_charges', { orderId })).result.structured;
  }
}
