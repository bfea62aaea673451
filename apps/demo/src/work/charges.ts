/** The work for the payments server: one `charge` per order; the server takes the money as often as it is asked. */
import { paymentLogPath, readCharges } from 'shop';
import type { Lane, Operation, Range } from './lane.ts';
import { numbersOf } from './lane.ts';

/** The charges of a range of orders. */
export function chargeLane(folder: string, range: Range): Lane {
  const operations = numbersOf(range).map(chargeOf);
  return {
    server: 'payments',
    tool: 'charge',
    operations,
    effects: () => {
      const counts = new Map(operations.map(({ key }) => [key, 0]));
      for (const { orderId } of readCharges(paymentLogPath(folder))) {
        const count = counts.get(orderId);
        if (count !== undefined) counts.set(orderId, count + 1);
      }
      return counts;
    },
  };
}

function chargeOf(n: number): Operation {
  const orderId = `order-${n}`;
  return { key: orderId, title: `charge of order ${n}`, arguments: { orderId, amount: 1_000 + 10 * n } };
}
