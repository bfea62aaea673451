// The official conformance suite of MCP against one server twice: as it is, and behind createServerTx. Every check must end alike. The
// fixture has the tools, a resource and a prompt that the suite asks for; what it lacks fails on both sides, and is compared as well.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 90_000 });
const SUITE = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
const PROGRAM = fileURLToPath(new URL('./programs/conformance-server.ts', import.meta.url));
const SUITE_TIMEOUT_MS = 40_000;

/** Every check of the suite, as one line: scenario, check, verdict. */
async function checksOf(line: 'v1' | 'v2', how: 'plain' | 'wrapped', requirements: string): Promise<readonly string[]> {
  const flags = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning'];
  const server = spawn(process.execPath, [...flags, PROGRAM, line, how], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('close', resolve));
  const output = mkdtempSync(join(tmpdir(), 'mcp-tx-conformance-'));
  try {
    const port = await new Promise<string>((resolve) =>
      server.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
    );
    const args = [
      SUITE,
      'server',
      '--url',
      `http://127.0.0.1:${port}/mcp`,
      '--requirements',
      requirements,
      '-o',
      output,
    ];
    // It ends with 1 when any check fails; whether it ran at all, the checks tell.
    await new Promise<void>((resolve) =>
      execFile(process.execPath, args, { timeout: SUITE_TIMEOUT_MS }, () => resolve()),
    );
    return readdirSync(output)
      .flatMap((folder) => linesOf(output, folder))
      .sort();
  } finally {
    server.stdin.end();
    await ended;
    rmSync(output, { recursive: true, force: true });
  }
}

interface Check {
  readonly id: string;
  readonly status: string;
}

function linesOf(output: string, folder: string): string[] {
  const scenario = folder.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
  const checks = JSON.parse(readFileSync(join(output, folder, 'checks.json'), 'utf8')) as readonly Check[];
  return checks.map(({ id, status }) => `${scenario} ${id} ${status}`);
}

it.each([
  ['v1', '2025-11-25'],
  ['v2', '2025-11-25'],
  ['v2', '2026-07-28'],
] as const)(
  'a server of SDK %s meets the requirements of %s as well behind createServerTx as without it',
  async (line, requirements) => {
    const [plain, wrapped] = await Promise.all([
      checksOf(line, 'plain', requirements),
      checksOf(line, 'wrapped', requirements),
    ]);
    const passed = plain.filter((check) => check.endsWith(' SUCCESS'));
    console.log(`conformance, SDK ${line}, ${requirements}: ${plain.length} checks, ${passed.length} passed`);
    expect(plain.length).toBeGreaterThan(50);
    expect(passed.length).toBeGreaterThan(40);
    expect(passed.filter((check) => check.startsWith('server-tools-call-')).length).toBeGreaterThan(5);
    expect(wrapped).toEqual(plain);
  },
);
