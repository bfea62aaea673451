/** Finds out whose operation a request is about. */
import { member } from './member.ts';
import type { AuthInfoLike, CallerContext, Settings } from './options.ts';

/** The scope of a request; `undefined`: nobody's, so it is refused. Never rejects. */
export async function callerOf({ scope, onError }: Settings, context: unknown): Promise<string | undefined> {
  if (typeof scope === 'string') return scope;
  try {
    const named = await scope(contextOf(context));
    return typeof named === 'string' && named !== '' ? named : undefined;
  } catch (error) {
    onError(error);
    return undefined;
  }
}

function contextOf(context: unknown): CallerContext {
  const authInfo = member(context, 'authInfo') ?? member(member(context, 'http'), 'authInfo');
  const sessionId = member(context, 'sessionId');
  return {
    authInfo: typeof authInfo === 'object' && authInfo !== null ? (authInfo as AuthInfoLike) : undefined,
    sessionId: typeof sessionId === 'string' ? sessionId : undefined,
    context,
  };
}
