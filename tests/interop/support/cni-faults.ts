/** A plugin that is another one but for a fault. */
interface Fault {
  readonly name: string;
  /** That must find it. */
  readonly point: number;
  /** POSIX sh. @param plugin Path of the sound one. */
  readonly script: (plugin: string) => string;
}

/** Behind the plugin's command line: `$CNI_COMMAND` is what is asked. */
const wrapped =
  (body: string) =>
  (plugin: string): string =>
    `#!/bin/sh\nplugin=${plugin}\n${body}\n`;

export const FAULTS: readonly Fault[] = [
  {
    name: 'VERSION tells no versions',
    point: 1,
    script: wrapped(`[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion":"1.0.0"}' && exit
exec "$plugin"`),
  },
  {
    name: 'unknown commands succeed',
    point: 3,
    script: wrapped('[ "$CNI_COMMAND" = FLY ] && exit 0\nexec "$plugin"'),
  },
  {
    name: 'the address of the result is not that of the interface',
    point: 10,
    script: wrapped(
      `"$plugin" | sed 's/"address": "10\\.29\\.\\([0-9]*\\)/"address": "10.30.\\1/'`,
    ),
  },
  {
    name: 'the container end has no sandbox',
    point: 11,
    script: wrapped(`"$plugin" | sed 's/"sandbox": "[^"]*"/"sandbox": ""/'`),
  },
  {
    name: 'every result is of 1.0.0',
    point: 12,
    script: wrapped(`[ "$CNI_COMMAND" = ADD ] || exec "$plugin"
sed 's/"cniVersion":"[^"]*"/"cniVersion":"1.0.0"/' | "$plugin"`),
  },
  {
    name: 'an ADD that fails leaves an interface',
    point: 13,
    script: wrapped(`[ "$CNI_COMMAND" = ADD ] || exec "$plugin"
"$plugin" && exit
ip link add leaked$$ type veth peer name leakede$$
exit 1`),
  },
  {
    name: 'DEL does nothing',
    point: 19,
    script: wrapped('[ "$CNI_COMMAND" = DEL ] && exit 0\nexec "$plugin"'),
  },
  {
    name: 'a second DEL fails',
    point: 20,
    script: wrapped(`[ "$CNI_COMMAND" = DEL ] || exec "$plugin"
nsenter --net="$CNI_NETNS" ip link show "$CNI_IFNAME" >/dev/null 2>&1 && exec "$plugin"
echo '{"cniVersion":"1.0.0","code":3,"msg":"unknown container"}'
exit 1`),
  },
  {
    name: 'CHECK always succeeds',
    point: 25,
    script: wrapped('[ "$CNI_COMMAND" = CHECK ] && exit 0\nexec "$plugin"'),
  },
  {
    name: 'CHECK minds addresses that others added',
    point: 26,
    script: wrapped(`[ "$CNI_COMMAND" = CHECK ] || exec "$plugin"
count=$(nsenter --net="$CNI_NETNS" ip -4 -o address show dev "$CNI_IFNAME" | wc -l)
[ "$count" = 1 ] && exec "$plugin"
echo '{"cniVersion":"1.0.0","code":100,"msg":"an unknown address"}'
exit 1`),
  },
  {
    name: 'dns is forgotten',
    point: 37,
    script: wrapped(`[ "$CNI_COMMAND" = ADD ] || exec "$plugin"
sed 's/"dns":{[^}]*},*//' | "$plugin"`),
  },
  {
    name: 'every container has the same address',
    point: 38,
    script: wrapped(`"$plugin" | sed 's/"address": "[^"]*"/"address": "10.29.0.2\\/16"/'`),
  },
  {
    name: 'log lines are on standard output',
    point: 40,
    script: wrapped('echo "level=info msg=called"\nexec "$plugin"'),
  },
];
