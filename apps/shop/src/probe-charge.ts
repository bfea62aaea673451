/** How to find out whether an order was charged when no answer came: the payments server is asked for its charges. */
import type { Probe } from '@mcp-tx/core';

/** Asks for the charges of the order. In this shop an order is charged once, so that any charge of it is the one. */
export const probeCharge: Probe = async (operation, { callTool }) => {
  const orderId = operation.arguments?.orderId;
  if (orderId === undefined) return { verdict: 'unknown' };
  const { structured, isError } = await callTool('list_charges', { orderId });
  if (isError === true) return { verdict: 'unknown' };
  const { charges } = structured as { readonly charges: readonly object[] };
  if (charges[0] === undefined) return { verdict: 'absent' };
  return { verdict: 'completed', result: { content: [{ type: 'text', text: JSON.stringify(charges[0]) }] } };
};
