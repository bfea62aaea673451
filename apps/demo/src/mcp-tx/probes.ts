/** How to find out whether a call happened: questions to the server itself, asked when no answer came. */
import type { Probe, ProbeVerdict } from '@mcp-tx/core';
import { hasEdit } from '../work/tickets.ts';

/** Reads the file and looks whether the edit is there. */
export const probeEdit: Probe = async (operation, { callTool }) => {
  const edit = operation.arguments;
  if (edit === undefined) return { verdict: 'unknown' };
  const { structured, isError } = await callTool('read_text_file', { path: edit.path });
  if (isError === true) return { verdict: 'unknown' };
  const { content } = structured as { readonly content: string };
  return hasEdit(content, edit) ? itHappened('the edit is in the file') : { verdict: 'absent' };
};

function itHappened(text: string): ProbeVerdict {
  return { verdict: 'completed', result: { content: [{ type: 'text', text }] } };
}
