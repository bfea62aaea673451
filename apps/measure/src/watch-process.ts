// The ways in which a process can end a run from outside of it.

const GRACE_AFTER_SIGNAL_MS = 5_000;

/** What the run wants to hear about. */
export interface ProcessWatcher {
  onUncaught(error: unknown): void;
  /** Nothing is left that could settle the run's promise. Node would now exit with 0, as if all were well. */
  onStuck(): void;
  onSignal(name: NodeJS.Signals): void;
  /** The run did not return in the seconds after a signal. The process ends right after this. */
  onSignalIgnored(): void;
}

/** Watches until the returned function is called. A second signal of the same kind ends the process at once. */
export function watchProcess(watcher: ProcessWatcher): () => void {
  let grace: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    watcher.onSignal(name);
    grace ??= setTimeout(() => {
      watcher.onSignalIgnored();
      process.exit();
    }, GRACE_AFTER_SIGNAL_MS);
  };
  const onStuck = () => watcher.onStuck();
  const onUncaught = (error: unknown) => watcher.onUncaught(error);
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal).once('beforeExit', onStuck);
  process.on('uncaughtException', onUncaught);
  return () => {
    clearTimeout(grace);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('beforeExit', onStuck);
    process.off('uncaughtException', onUncaught);
  };
}
