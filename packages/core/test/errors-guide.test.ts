// The guide of errors tells of exactly the codes that there are, and says of each what the code itself says.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TX_ERRORS } from '../src/index.ts';

const guide = readFileSync(new URL('../../../docs/guides/errors.md', import.meta.url), 'utf8');
const sections = guide
  .split(/^### /m)
  .slice(1)
  .map((section) => /^`([A-Z_]+)`\n\nExecution: (none|unknown|done)\. Repeat: (yes|no)\.\n\n(\S[\s\S]+)/.exec(section));

it('has one section for each code, in the one form', () => {
  expect(sections.map((section) => section?.[1]).sort()).toEqual(Object.keys(TX_ERRORS).sort());
  for (const section of sections) expect(section?.[4]?.length).toBeGreaterThan(40);
});

it('says what each code says', () => {
  const told = sections.map((section) => [section?.[1], section?.[2], section?.[3] === 'yes']);
  const truth = Object.entries(TX_ERRORS).map(([code, { execution, retryable }]) => [code, execution, retryable]);
  expect(told.sort()).toEqual(truth.sort());
});

it('has a row for every exception that the Python library’s handler caught', () => {
  const table = guide.slice(guide.indexOf('## From the Python library'));
  for (const exception of ['ConnectionError', 'TimeoutError', 'ValueError', 'Exception'])
    expect(table).toContain(`\`${exception}\``);
  const codes = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code);
  expect(codes.filter((code) => code !== undefined && !(code in TX_ERRORS))).toEqual([]);
});
