// What MCP-Tx promises, one sentence each. A test cites a promise by [G:<id>] in its title. docs/GUARANTEES.md is made
// of this file and of the titles; test/guarantees.test.ts fails when a promise is not cited, or an unknown one is.

/** One promise. */
export interface Guarantee {
  readonly id: string;
  /** In plain English, for a user who never read the code. */
  readonly says: string;
  /** What makes the promise necessary, or where its meaning is defined. */
  readonly source: string;
  /** Left out: tests in this repository prove it. `later`: no test can prove it yet, for the reason in `why`. */
  readonly provenBy?: 'later';
  readonly why?: string;
}

const LOST_STREAM =
  'MCP 2026-07-28: a broken response stream loses the request, and clients re-issue it under a new id';

/** Every promise, in the order of docs/GUARANTEES.md. */
export const guarantees: readonly Guarantee[] = [
  {
    id: 'I1',
    says: 'With the delivery modes at-most-once and effectively-once, one operation has at most one effect.',
    source: LOST_STREAM,
  },
  {
    id: 'I2',
    says: 'All successful answers of one operation are equal, byte by byte as JSON; the first caller gets the same as every later one.',
    source: 'A stored result that differs from the first answer would make a replay visible',
  },
  {
    id: 'I3',
    says: 'Every operation that was accepted ends as completed, failed, in doubt or released, and can be listed.',
    source: LOST_STREAM,
  },
  {
    id: 'I4',
    says: 'An owner that lost its lease can never change the record of the operation.',
    source: 'A paused process wakes up and believes that it still owns the operation',
  },
  {
    id: 'I5',
    says: 'A call never takes longer than its deadline.',
    source: 'MCP has no deadline; the clients’ timeouts are per attempt',
  },
  {
    id: 'I6',
    says: 'An operation is sent at most maxAttempts times, counted over all processes.',
    source: 'Attempts that every process counts for itself add up',
  },
  {
    id: 'I7',
    says: 'The same idempotency key with another tool or other arguments is a conflict. It never returns somebody else’s result, and it sends nothing.',
    source: 'IETF draft-ietf-httpapi-idempotency-key-header: a key must not be reused for another request',
  },
  {
    id: 'I8',
    says: 'When the engine says that a call failed and nothing was executed, there was no effect and there never will be one.',
    source: LOST_STREAM,
  },
  {
    id: 'I9',
    says: 'An operation in doubt is never reported as a success or as a failure.',
    source: LOST_STREAM,
  },
  {
    id: 'I10',
    says: 'When the faults stop, every operation is settled within one lease and one sweep.',
    source: 'Crashed owners leave operations behind',
  },
  {
    id: 'I11',
    says: 'Calls with the same key at the same time are driven once, and all of them get the answer.',
    source: 'Callers repeat while the first call is still under way',
  },
  {
    id: 'I12',
    says: 'After close() no timer, listener, socket or child process is left.',
    source: 'Long-running hosts open and close sessions all day',
  },
  {
    id: 'I13',
    says: 'Against a server that accepts calls and drops them, at-least-once tools cause at most 1.1 sends per operation, plus ten.',
    source: 'Retries of many callers turn a slow server into a dead one',
  },
  {
    id: 'I14',
    says: 'A slow server does not slow the calls to another server.',
    source: 'One hub serves many servers',
  },
  {
    id: 'I15',
    says: 'Secrets in arguments, results and keys never appear in logs, spans or the dashboard.',
    source: 'Logs are read by more people than the database',
    provenBy: 'later',
    why: 'Spans and the dashboard are not written yet; a proof must search all three.',
  },
  {
    id: 'I16',
    says: 'A tool that is not on the allow-list never reaches a server.',
    source: 'Hosts take tool names from the wire',
  },
  {
    id: 'S1',
    says: 'A wrapped server runs an operation once, over all sessions and all processes that share its ledger, and answers its repeats with the same bytes.',
    source: 'MCP 2026-07-28 has clients issue lost requests again, and gives servers nothing to see that by',
  },
  {
    id: 'S2',
    says: 'A wrapped server refuses an operation that comes with another tool or other arguments; it runs nothing and shows nothing of the first call.',
    source: 'A fingerprint that the client computes proves nothing to the server',
  },
  {
    id: 'S3',
    says: 'What a tool says because its client cancelled or went away never becomes the answer of the operation.',
    source: 'A tool that obeys the signal answers "aborted", and a server that keeps that poisons the repeat',
  },
  {
    id: 'S4',
    says: 'Principals that have different scopes at a wrapped server never see each other’s operations, whatever ids they send; a caller without a scope is refused.',
    source: 'Operation ids can be guessed',
  },
  {
    id: 'S5',
    says: 'A wrapped server lets no recorded call reach its tool before the claim stands in the ledger.',
    source: 'An effect before the claim would happen again after a crash',
  },
  {
    id: 'S6',
    says: 'When the process of a wrapped server stops while a tool runs, repeats are told of the doubt and the tool is not run again; only its own late answer or a verdict ends the doubt.',
    source: 'Between the effect and its record nobody can know',
  },
  {
    id: 'S7',
    says: 'With the engine before it and a wrapped server behind it, lost requests, lost answers, doubled requests and answers that die with the server leave one effect and no doubt.',
    source: 'MCP 2026-07-28 has clients issue lost requests again, and gives servers nothing to see that by',
  },
  {
    id: 'S8',
    says: 'A tool that a wrapped server names transactional has its effect exactly once and leaves no doubt, though the process is killed at any moment: effect and record are committed together, and nobody but the owner of the operation can commit them.',
    source: 'The one place where exactly once can be kept',
  },
  {
    id: 'S9',
    says: 'A process that was killed with calls under way to a wrapped server that stays up leaves no doubt behind: the next one asks the server how they ended, and takes "no record" for an answer only when the server would have one and nothing can be under way.',
    source: 'A call without a key cannot be repeated by anybody',
  },
  {
    id: 'Q1',
    says: 'All deliveries of a job, and all jobs of one key, are one operation, over all workers of a queue: at most one effect, and one result for everybody.',
    source: 'Queues deliver at least once',
  },
  {
    id: 'Q2',
    says: 'A job that may have run is put aside with its reason, listed in the ledger, and never goes back into its queue.',
    source: 'A queue that runs a job in doubt again runs it twice',
  },
  {
    id: 'Q3',
    says: 'A job whose worker or broker is killed is run by somebody, or put aside: none is lost, and none is left for good.',
    source: 'Workers and brokers are killed while they work',
  },
  {
    id: 'Q4',
    says: 'A message that is no job, or none that this host may run, is put aside with its reason; nothing of it reaches a tool, and the jobs around it run.',
    source: 'Whoever can write to a queue can write anything',
  },
];
