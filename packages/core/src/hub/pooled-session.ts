/** A session while it is lent: whoever has it gives it back once, in one of two ways. */

/** What {@link Pool.acquire} lends. Given back twice, it was given back once. */
export interface PooledSession<Session extends object> extends AsyncDisposable {
  readonly session: Session;
  /** Gives it back. `check: true`: it may be broken, so that it is checked before anybody else gets it. */
  release(options?: { readonly check?: boolean }): void;
  /** Gives it back as broken: it is ended, and another one may take its place. Resolves when it has ended. Never rejects. */
  destroy(): Promise<void>;
}

/** How a lent session comes back. */
export interface Return {
  readonly release: (isSuspect: boolean) => void;
  readonly destroy: () => Promise<void>;
}

/** Lends a session. */
export function lend<Session extends object>(session: Session, back: Return): PooledSession<Session> {
  let isBack = false;
  let ending: Promise<void> | undefined;
  const release = (options: { readonly check?: boolean } = {}): void => {
    if (isBack) return;
    isBack = true;
    back.release(options.check === true);
  };
  return {
    session,
    release,
    destroy() {
      if (!isBack) ending = back.destroy();
      isBack = true;
      return ending ?? Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      release();
    },
  };
}
