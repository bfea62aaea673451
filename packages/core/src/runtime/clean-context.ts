/** Owns the asynchronous context that long-lived things are made in: that of nobody's request. */
import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs `make` outside of every `AsyncLocalStorage.run`, so that what lives on, a connection or a child process, does not carry
 * the context of whichever request came first: its user, its trace, its memory.
 */
export const inCleanContext: <T>(make: () => T) => T = AsyncLocalStorage.snapshot();
