/** Names the scripts, and gives each its text and the hash by which the server knows it. */
import { createHash } from 'node:crypto';
import { CLAIM } from './claim.ts';
import { PURGE, RESOLVE, SWEEP } from './others.ts';
import { MARK_SENT, RELEASE, RENEW, SETTLE } from './owner.ts';
import { PRELUDE } from './prelude.ts';
import { AUDIT, COUNT, FIND, WALK } from './reading.ts';

const BODIES: Readonly<Record<ScriptName, string>> = {
  claim: CLAIM,
  markSent: MARK_SENT,
  renew: RENEW,
  release: RELEASE,
  settle: SETTLE,
  resolve: RESOLVE,
  sweep: SWEEP,
  purge: PURGE,
  find: FIND,
  audit: AUDIT,
  count: COUNT,
  walk: WALK,
};

/** What is under way must come to its end also where the memory is full; only a new record is refused then. */
const ALLOW_OOM = '#!lua flags=allow-oom\n';

/** One of the steps that a ledger takes. */
export type ScriptName =
  | ('claim' | 'markSent' | 'renew' | 'release' | 'settle') // of the lease's holder
  | ('resolve' | 'sweep' | 'purge' | 'find' | 'audit' | 'count' | 'walk'); // of others

/** A script as the server gets it. */
export interface Script {
  readonly text: string;
  /** Hex SHA-1 of the text. */
  readonly sha: string;
}

/** The scripts of one store. Each has its own, so that another ledger's start does not load them. */
export function scriptsOf(head: string): Readonly<Record<ScriptName, Script>> {
  const entries = Object.entries(BODIES).map(([name, body]) => {
    const text = `${name === 'claim' ? '' : ALLOW_OOM}-- ${name} of ${head}\n${PRELUDE}${body}`;
    return [name, { text, sha: createHash('sha1').update(text).digest('hex') }] as const;
  });
  return Object.fromEntries(entries) as Record<ScriptName, Script>;
}
