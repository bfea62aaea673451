// Mutants of the simulated server that dedupes: what happens when the other end does not keep the protocol.
import type { Mutant } from './mutant.ts';
import { FOLDERS } from './mutant.ts';

const SERVER_STORE = `${FOLDERS.WORLD}/server-store.ts`;

export const SERVER_MUTANTS: readonly Mutant[] = [
  {
    id: 'server-claims-late',
    breaks: 'a server that dedupes records the claim before the tool runs',
    edits: [
      {
        file: SERVER_STORE,
        find: "this.#records.set(operationId, { state: 'running', life, fingerprint });\n      return undefined;\n    }\n    if (kept.fingerprint",
        replace: 'return undefined;\n    }\n    if (kept.fingerprint',
      },
    ],
  },
  {
    id: 'server-forgets-failures',
    breaks: 'a server that dedupes keeps failures, too',
    edits: [
      {
        file: SERVER_STORE,
        find: "const end = hadEffect ? nack('in-doubt', true) : nack('failed', false);\n    this.record(message, end);",
        replace:
          "const end = hadEffect ? nack('in-doubt', true) : nack('failed', false);\n    this.#records.delete(message.operationId);",
      },
    ],
  },
  {
    id: 'server-runs-again-after-a-crash',
    breaks: 'a server that does not commit effect and record together says that it does not know',
    edits: [
      {
        file: SERVER_STORE,
        find: "if (this.#kind === 'aware') return nack('in-doubt', false);",
        replace: '',
      },
    ],
  },
];
