// The two-sided matrix: every client against every server over every transport, with real processes, real kills and counted faults.
// Effects are counted in the log that the tool itself writes; what was promised stands in matrix/cells.ts.
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Cell } from './matrix/cells.ts';
import { CELLS, expected, FAULTS, impossible } from './matrix/cells.ts';
import { COMPILED } from './matrix/connect.ts';
import type { Found } from './matrix/run-cell.ts';
import { runCell } from './matrix/run-cell.ts';

vi.setConfig({ testTimeout: 120_000, maxConcurrency: 5 });

const lines = new Map<string, string>();
const nameOf = ({ client, server, transport }: Cell): string => `client ${client}, server ${server}, ${transport}`;
const possible = CELLS.filter((cell) => impossible(cell) === undefined);

describe.concurrent('[G:S7] [G:S6] the matrix', () => {
  it.for(possible.map((cell) => [nameOf(cell), cell] as const))('%s', async ([name, cell], { expect: check }) => {
    const all = await runCell(cell);
    lines.set(name, all.map(({ fault, effects, told }) => `${fault} ${effects} ${told[0]?.told}`).join(' | '));
    check(all.map(({ fault }) => fault).sort()).toEqual([...FAULTS].sort());
    for (const found of all) check(summaryOf(found)).toEqual(wantedOf(found, cell));
  });
});

it('leaves out only what cannot be', () => {
  const left = CELLS.filter((cell) => !possible.includes(cell));
  for (const cell of left) lines.set(nameOf(cell), `impossible: ${impossible(cell)}`);
  expect([possible.length, left.length]).toEqual([15, 3]);
});

afterAll(() => {
  rmSync(COMPILED, { recursive: true, force: true });
  console.log(
    [...lines]
      .map(([name, line]) => `${name}\n    ${line}`)
      .sort()
      .join('\n'),
  );
});

function summaryOf({ fault, injected, effects, told }: Found): object {
  const results = new Set(told.map(({ result }) => result));
  return {
    fault,
    injected,
    effects,
    told: told.map((each) => each.told),
    guarantees: told.map(({ guarantee }) => guarantee),
    inDoubt: told.map(({ inDoubt }) => inDoubt),
    answers: results.size, // all are told the same
  };
}

function wantedOf({ fault, told }: Found, cell: Cell): object {
  const wanted = expected(fault, cell);
  const isDoubt = wanted.told === 'in doubt';
  return {
    fault,
    injected: true,
    effects: wanted.effects,
    told: told.map(() => wanted.told),
    guarantees: told.map(() => (isDoubt ? undefined : 'effectively-once')),
    inDoubt: told.map(() => (isDoubt ? 1 : 0)),
    answers: 1,
  };
}
