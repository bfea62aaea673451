// DBOS: functions whose steps are kept in PostgreSQL.
import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Subject } from '../subject.ts';
import { oneByOne, tool } from '../subject.ts';

const STEPS = 50;

interface Dbos {
  readonly workflows: Subject;
  readonly steps: Subject;
}

let opened: Promise<Dbos> | undefined;
let open = 0;

/** There is one DBOS in a process; it goes with the last of its subjects. */
export function openDbos(url: string, connections: number): Promise<Dbos> {
  opened ??= launch(url, connections);
  open += 1;
  return opened;
}

async function close(): Promise<void> {
  open -= 1;
  if (open === 0) await DBOS.shutdown();
}

async function launch(systemDatabaseUrl: string, systemDatabasePoolSize: number): Promise<Dbos> {
  /** Those who drive a workflow of steps, by its id: its functions are registered before they are known. */
  const drivers = new Map<string, { isOver: () => boolean; onDone: () => void }>();
  const oneStep = DBOS.registerWorkflow(async () => DBOS.runStep(tool, { name: 'charge' }), { name: 'oneStep' });
  const manySteps = DBOS.registerWorkflow(
    async () => {
      const driver = drivers.get(DBOS.workflowID ?? '');
      for (let n = 0; n < STEPS && driver?.isOver() === false; n += 1) {
        await DBOS.runStep(tool, { name: 'charge' });
        driver.onDone();
      }
    },
    { name: 'manySteps' },
  );
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl, systemDatabasePoolSize, logLevel: 'error' });
  await DBOS.launch();
  let n = 0;
  return {
    workflows: oneByOne((order) => DBOS.withNextWorkflowID(`order:${order}`, () => oneStep()), close),
    steps: {
      async drive(isOver, onDone) {
        while (!isOver()) {
          n += 1;
          const id = `steps:${n}`;
          drivers.set(id, { isOver, onDone });
          await DBOS.withNextWorkflowID(id, () => manySteps());
          drivers.delete(id);
        }
      },
      [Symbol.asyncDispose]: close,
    },
  };
}
