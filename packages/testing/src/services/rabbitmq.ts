/** A RabbitMQ of one's own: a node that knows no other, with its own name server, cookie and ports. */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Service } from './service.ts';
import { findProgram, freePort, startService } from './service.ts';

/** A running RabbitMQ. */
export interface RabbitmqService extends Service {
  /** Where clients connect to, as its administrator. */
  readonly url: string;
  /** Runs `rabbitmqctl` on it, which takes a second or two, and gives what it prints. */
  control(...args: readonly string[]): Promise<string>;
}

/** Debian's scripts themselves: those on the path change to a user of their own. */
const SCRIPTS = '/usr/lib/rabbitmq/bin';
const ANSWER_TIMEOUT_MS = 1_000;
const HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const LOOPBACK_ONLY = '-kernel inet_dist_use_interface {127,0,0,1}';

/** Starts it, with the user `guest` and without plugins. Durable queues survive its death; `kill('SIGTERM')` ends it in good order. */
export async function startRabbitmq(): Promise<RabbitmqService> {
  const ports = { names: await freePort(), nodes: await freePort() };
  let names: ChildProcess | undefined;
  const endNames = (): void => void names?.kill('SIGKILL');
  const env = (folder: string, port: number): NodeJS.ProcessEnv => environment(folder, port, ports);
  try {
    const service = await startService({
      name: 'rabbitmq',
      debianPackage: 'rabbitmq-server',
      program: () => script('rabbitmq-server'),
      prepare(folder) {
        writeFileSync(join(folder, 'rabbitmq.conf'), 'disk_free_limit.absolute = 1MB\nlog.console.level = warning\n');
        names = spawn(findProgram('epmd', '/usr/bin') ?? 'epmd', ['-port', String(ports.names)], {
          env: env(folder, 0),
          stdio: 'ignore',
        });
      },
      args: () => [],
      env,
      isReady: greets,
    });
    return withControl(service, env(service.folder, service.port), endNames);
  } catch (error) {
    endNames();
    throw error;
  }
}

function withControl(service: Service, env: NodeJS.ProcessEnv, endNames: () => void): RabbitmqService {
  const stop = async (): Promise<void> => {
    await service.stop();
    endNames();
  };
  return {
    ...service,
    get pid() {
      return service.pid;
    },
    url: `amqp://guest:guest@127.0.0.1:${service.port}`,
    async control(...args) {
      const program = script('rabbitmqctl') ?? 'rabbitmqctl';
      const options = { env: { ...process.env, ...env }, cwd: service.folder };
      return (await promisify(execFile)(program, ['--quiet', ...args], options)).stdout;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function script(name: string): string | undefined {
  const debians = join(SCRIPTS, name);
  return existsSync(debians) ? debians : findProgram(name);
}

/** Everything of the node's own: nothing of the machine's settings is read, nothing of another node's is touched. */
function environment(
  folder: string,
  port: number,
  ports: { readonly names: number; readonly nodes: number },
): NodeJS.ProcessEnv {
  return {
    HOME: folder, // where the cookie is
    ERL_EPMD_PORT: String(ports.names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `mcp-tx-${ports.nodes}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(ports.nodes),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'no-such-file'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_ALLOW_INPUT: '1', // its script becomes the node, in place of a shell that watches it
    RABBITMQ_SERVER_START_ARGS: `-noinput -start_epmd false ${LOOPBACK_ONLY}`,
    RABBITMQ_CTL_ERL_ARGS: LOOPBACK_ONLY,
    RABBITMQ_CTL_DIST_PORT_MIN: '40000',
    RABBITMQ_CTL_DIST_PORT_MAX: '65000',
    NODE_ENV: 'test', // nothing reads it; where Next's types are about, no environment is one without it
  };
}

/** Whether it answers a client that says hello. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(HEADER));
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(false));
    socket.once('data', (data) => end(data[0] === 1)); // a method: connection.start
    socket.once('error', () => end(false));
  });
}
