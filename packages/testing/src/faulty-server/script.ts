/** Owns what a script says: it checks the JSON of a fault script and gives every step its place among the calls. */
import { readFileSync } from 'node:fs';
import type { Fault, FaultKind } from './fault.ts';
import { FAULT_RULES } from './fault.ts';

/** A fault that needs no parameter may be written as its bare name. */
export type FaultName = Exclude<FaultKind, 'delay' | 'json-rpc-error' | 'result-type' | 'status'>;

/** Which of the counted calls a step strikes: one of them (1 is the first), every n-th, or all. */
export type At = number | `every:${number}` | 'all';

/** One line of a script. */
export interface ScriptStep {
  /** Only calls of this tool count; without it all `tools/call` requests do. */
  readonly tool?: string;
  /** Without it the k-th step of a tool (or of no tool) strikes its k-th call. */
  readonly at?: At;
  readonly fault: Fault | FaultName;
}

/** A fault script: when several steps meet one call, the first of them strikes. */
export type Script = readonly ScriptStep[];

/** A step after checking, with its place filled in. */
export interface PlacedStep {
  readonly index: number;
  readonly tool: string | undefined;
  readonly at: At;
  readonly fault: Fault;
}

/**
 * Checks a script and places its steps.
 *
 * @param wire - the transport it is for; a fault that this transport cannot show is refused.
 * @throws TypeError that names the first wrong step.
 */
export function placeSteps(script: Script, wire: 'stdio' | 'http'): readonly PlacedStep[] {
  if (!Array.isArray(script)) throw new TypeError('a fault script is an array of steps');
  const listed = new Map<string | undefined, number>();
  return script.map((step: ScriptStep, index) => {
    const fault = checkFault(step.fault, wire, `step ${index}`);
    if (step.at !== undefined) return { index, tool: step.tool, at: checkAt(step.at, index), fault };
    const at = (listed.get(step.tool) ?? 0) + 1;
    listed.set(step.tool, at);
    return { index, tool: step.tool, at, fault };
  });
}

/** Takes a script as the command line gives it: JSON text, or the path of a JSON file. */
export function loadScript(source: string | undefined): Script {
  if (source === undefined) return [];
  return JSON.parse(source.trimStart().startsWith('[') ? source : readFileSync(source, 'utf8')) as Script;
}

/** Whether a step strikes the call with that number. */
export function strikes(at: At, call: number): boolean {
  if (at === 'all') return true;
  return typeof at === 'number' ? at === call : call % period(at) === 0;
}

function checkFault(given: Fault | FaultName, wire: 'stdio' | 'http', where: string): Fault {
  const fault = (typeof given === 'string' ? { kind: given } : given) as Fault;
  const rule = FAULT_RULES[fault?.kind];
  if (rule === undefined) throw new TypeError(`${where}: there is no fault ${JSON.stringify(given)}`);
  if (rule.wires !== 'both' && rule.wires !== wire) throw new TypeError(`${where}: ${fault.kind} is for ${rule.wires}`);
  const missing = rule.needs?.find((field) => !(field in fault));
  if (missing !== undefined) throw new TypeError(`${where}: ${fault.kind} needs ${missing}`);
  if ('when' in fault && !rule.when.endsWith('?')) throw new TypeError(`${where}: ${fault.kind} takes no "when"`);
  return fault;
}

function checkAt(at: At, index: number): At {
  const valid = at === 'all' || (typeof at === 'number' ? isCount(at) : isCount(period(at)));
  if (!valid) throw new TypeError(`step ${index}: at is a call number, "every:N" or "all", not ${JSON.stringify(at)}`);
  return at;
}

function period(at: string): number {
  return Number(/^every:(\d+)$/.exec(at)?.[1]);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
