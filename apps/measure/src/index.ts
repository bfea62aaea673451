// What an app that measures may use. Names only; no code.
export type { Flag, Flags, FlagValues } from './flags.ts';
export { UsageError } from './flags.ts';
export type { MeasureContext } from './measurement.ts';
export type { Report, Violation } from './report.ts';
export { type MeasuredProgram, runMeasured, runOneOf } from './run-measured.ts';
export { seededRandom } from './seeded-random.ts';
