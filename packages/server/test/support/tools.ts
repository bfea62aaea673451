// The tools that every server under test has. What they do is counted here, outside of everything that is tested.
import { randomUUID } from 'node:crypto';

/** One thing that a tool did. */
interface Done {
  readonly tool: string;
  readonly orderId: unknown;
}

/** A tool as all SDK lines can have it. */
export type ToolBody = (args: Readonly<Record<string, unknown>>, context: unknown) => unknown;

export interface Tools {
  readonly done: Done[];
  readonly bodies: Readonly<Record<string, ToolBody>>;
  /** Lets `slow` go on. */
  readonly gate: PromiseWithResolvers<void>;
  /** Resolves when `slow` has begun. */
  readonly begun: PromiseWithResolvers<void>;
  effects(orderId?: string): number;
}

export function createTools(more: Readonly<Record<string, ToolBody>> = {}): Tools {
  const done: Done[] = [];
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const effect = (tool: string, { orderId }: Readonly<Record<string, unknown>>): object => {
    done.push({ tool, orderId });
    return text({ orderId, receipt: randomUUID() });
  };
  const bodies: Record<string, ToolBody> = {
    pay: (args) => effect('pay', args),
    decline: (args) => ({ ...effect('decline', args), isError: true }),
    async slow(args) {
      begun.resolve();
      await gate.promise;
      return effect('slow', args);
    },
    ...more,
  };
  const effects = (orderId?: string): number =>
    done.filter((entry) => orderId === undefined || entry.orderId === orderId).length;
  return { done, bodies, gate, begun, effects };
}

/** A result of one text block. */
export function text(value: unknown): object {
  return { content: [{ type: 'text', text: JSON.stringify(value) }] };
}
