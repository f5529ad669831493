import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';

/** ExaBGP in a namespace: it sends what it is told to, and makes nothing of what it hears. */
export interface Exabgp extends AsyncDisposable {
  /** A command of its API: `announce route 10.99.1.0/24 next-hop self`. */
  tell(command: string): Promise<void>;
  /** What its API has reported: a JSON object a line. */
  heard(): Promise<string>;
  readonly log: string;
}

/** The name of the process that neighbours of the configuration have their API with. */
export const API = 'test';

/** Needs neither its pipes nor a user of its own. */
const ENVIRONMENT = ['exabgp_api_cli=false', 'exabgp_api_ack=false', 'exabgp_daemon_user=root'];

/** @param config Neighbours; see {@link API}. */
export async function startExabgp(namespace: TestNamespace, config: string): Promise<Exabgp> {
  const directory = await mkdtemp(join(tmpdir(), 'exabgp-'));
  const [file, script] = [join(directory, 'exabgp.conf'), join(directory, 'api.sh')];
  const [commands, events] = [join(directory, 'commands'), join(directory, 'events')];
  await writeFile(commands, '');
  await writeFile(events, '');
  // Its standard output are commands, its standard input what ExaBGP reports. `tail` ends with `cat`.
  await writeFile(script, `tail --pid=$$ -s 0.05 -n +1 -f ${commands} &\nexec cat > ${events}\n`);
  await writeFile(file, `process ${API} { run /bin/sh ${script}; encoder json; }\n${config}`);
  const daemon = new Daemon(namespace, ['env', ...ENVIRONMENT, 'exabgp', file]);
  return {
    tell: (command) => appendFile(commands, `${command}\n`),
    heard: () => readFile(events, 'utf8'),
    get log() {
      return daemon.output;
    },
    [Symbol.asyncDispose]: () => daemon.kill('SIGKILL'),
  };
}
