// DBOS: the key is the id of a workflow of one step.
import type { Subject } from '../subject.ts';

export const dbos: Subject = {
  label: 'DBOS 5.3.0',
  store: 'postgres',
  promises: 'one workflow per id; a step that was broken off may run again when its executor starts anew',
  isOurs: false,
  mayRepeat: true,
  async open({ port }, effect) {
    const { DBOS } = await import('@dbos-inc/dbos-sdk');
    const pay = DBOS.registerWorkflow(
      async (key: string) => await DBOS.runStep(() => effect(key), { name: 'effect' }),
      { name: 'pay' },
    );
    const systemDatabaseUrl = `postgresql://postgres@127.0.0.1:${port}/dbos`;
    DBOS.setConfig({ name: 'scoreboard', systemDatabaseUrl, systemDatabasePoolSize: 16, logLevel: 'error' });
    await DBOS.launch();
    return {
      async call(key) {
        const handle = await DBOS.startWorkflow(pay, { workflowID: key })(key);
        return { kind: 'result', receipt: await handle.getResult() };
      },
      close: () => DBOS.shutdown(),
    };
  },
};
