/** What can be told to go wrong in the payments server, for single orders: for tests, and to see what a doubt looks like. */

/** `slow`: takes ten times as long. The others end the server's process. */
const PAYMENT_FAULTS = ['slow', 'crash-before-effect', 'crash-after-effect'] as const;

export type PaymentFault = (typeof PAYMENT_FAULTS)[number];

/** The faults by order, read from text such as `order-13=crash-after-effect,order-14=slow`. @throws Error for any other text */
export function faultsIn(text: string): ReadonlyMap<string, PaymentFault> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return new Map(pairs.map((pair) => faultIn(pair.trim())));
}

/** The text that {@link faultsIn} reads. */
export function faultsText(faults: ReadonlyMap<string, PaymentFault>): string {
  return [...faults].map((pair) => pair.join('=')).join(',');
}

function faultIn(pair: string): readonly [string, PaymentFault] {
  const [, orderId = '', kind = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
  const fault = PAYMENT_FAULTS.find((known) => known === kind);
  if (fault === undefined)
    throw new Error(`a fault is written order=kind, with a kind of ${PAYMENT_FAULTS.join(', ')}; not ${pair}`);
  return [orderId, fault];
}
