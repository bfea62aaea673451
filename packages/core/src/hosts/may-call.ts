/** Decides which tools a principal may call: those on the list that the hook does not refuse. */
import { askHook, callerOf } from './access.ts';
import type { KernelRequest } from './http-message.ts';
import type { KernelSettings, Principal } from './kernel-options.ts';

/** A tool that is not listed, one that this principal may not call, and one that does not exist are the same to a caller. */
export function mayCall<Host>(
  { isListed, options }: KernelSettings<Host>,
  request: KernelRequest<Host>,
  principal: Principal | undefined,
  tool: string,
): boolean | Promise<boolean> {
  const { authorize, tools } = options;
  if (typeof tools !== 'function' && authorize === undefined) return isListed(tool); // no hook to be asked
  return askHook('authorize', async () => {
    if (!isListed(tool)) return false;
    return authorize === undefined || (await authorize(principal, tool, callerOf(request))) === true;
  });
}
