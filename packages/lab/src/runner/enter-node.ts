/** What a node's programs see, before the file's `env`. */
const BASE_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/root',
  LANG: 'C.UTF-8',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/** The command line that runs `argv` inside a node: in all its namespaces. */
export function enterNode(pid: number, argv: readonly string[]): string[] {
  return [
    'nsenter',
    '--target',
    String(pid),
    '--mount',
    '--uts',
    '--ipc',
    '--net',
    '--pid',
    '--',
    ...argv,
  ];
}

/** The same for a program of ours that only needs the node's network: it sees our own files and processes. */
export function enterNetwork(pid: number, argv: readonly string[]): string[] {
  return ['nsenter', '--target', String(pid), '--net', '--', ...argv];
}

/** The environment of a program in a node. */
export function nodeEnvironment(
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...BASE_ENVIRONMENT, ...environment };
}
