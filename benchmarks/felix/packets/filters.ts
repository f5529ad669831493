import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDataplane } from '@overland/felix/dataplane';
import { PolicyCalculation } from '@overland/felix/policy';
import { openKernel } from '@overland/linux';
import { openNftables } from '@overland/linux/netfilter';
import type { TestNamespace } from '@overland/linux/testing';
import { type AnyResource, readResource } from '@overland/model';
import { pino } from 'pino';
import { until } from '../../../tests/interop/support/until.ts';
import { addressIn, interfaceOf, ownEndpoint, resource, times } from '../host/cluster.ts';
import { NODE } from '../host/policy-host.ts';
import { PORT } from './way.ts';

/** The policies of every endpoint: in each of them five rules, of which the last one of all lets the load in. */
const [POLICIES, RULES] = [3, 5];

interface Rule {
  readonly protocol: 'TCP' | 'UDP';
  readonly net: string;
  readonly ports: readonly [first: number, last: number];
}

function rulesOf(policy: number): Rule[] {
  return times(RULES, (i) => {
    const isLast = policy === POLICIES - 1 && i >= RULES - 2;
    const protocol = i === RULES - 1 ? 'UDP' : 'TCP';
    if (isLast) return { protocol, net: '192.0.2.0/24', ports: [PORT, PORT + 3] };
    const port = 100 + policy * RULES + i;
    return { protocol, net: '198.51.100.0/24', ports: [port, port] };
  });
}

/** Our own filter, as the agent writes it. */
export async function ours({ path }: TestNamespace, endpoints: number): Promise<void> {
  const calculation = new PolicyCalculation(NODE);
  const put = (written: AnyResource): void => {
    const read = readResource(written.kind, written);
    calculation.update(read.kind, read.metadata, read);
  };
  for (let i = 0; i < POLICIES; i++) put(policyOf(i));
  for (let i = 0; i < endpoints; i++) put(ownEndpoint(i));
  await using kernel = openKernel({ namespace: path });
  using nftables = openNftables({ namespace: path });
  const log = pino({ level: 'warn' });
  await using dataplane = createDataplane({ kernel, nftables, log });
  dataplane.changePolicy(calculation.flush({ synced: true }));
  await until('policy is programmed', async () => {
    const { policy } = dataplane.status();
    return policy?.synced && policy.endpoints === endpoints && (await nftables.read(TABLE));
  });
}

const TABLE = 'inet overland';

function policyOf(i: number): AnyResource {
  const spec = {
    order: i,
    selector: "group == 'own'",
    types: ['Ingress', 'Egress'],
    ingress: rulesOf(i).map(({ protocol, net, ports }) => ({
      action: 'Allow',
      protocol,
      source: { nets: [net] },
      destination: { ports: [ports.join(':')] },
    })),
    egress: [{ action: 'Allow' }],
  };
  return resource('GlobalNetworkPolicy', { name: `policy-${i}` }, spec);
}

/** Connections are tracked, and no more. */
export async function floor({ exec }: TestNamespace): Promise<void> {
  const chain = '{ type filter hook prerouting priority 0; ct state invalid counter; }';
  await exec(['nft', `table ip tracking { chain tracking ${chain}; }`]);
}

/** @returns Rules of iptables for the same: a chain for each endpoint, found by going through all of them. */
export function linear(variant: 'legacy' | 'nft', acceptsEstablishedFirst: boolean) {
  return async ({ exec }: TestNamespace, endpoints: number, directory: string): Promise<void> => {
    const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
    const all = times(endpoints, (i) => i);
    const lines = [
      '*filter',
      ...times(POLICIES, (i) => `:policy-${i} - [0:0]`),
      ...all.flatMap((i) => [`:to-${i} - [0:0]`, `:from-${i} - [0:0]`]),
      ...(acceptsEstablishedFirst ? [`-A FORWARD ${established}`] : []),
      ...all.flatMap((i) => [
        `-A FORWARD -i ${interfaceOf(i)} -j from-${i}`,
        `-A FORWARD -o ${interfaceOf(i)} -j to-${i}`,
      ]),
      ...times(POLICIES, rulesOf).flatMap((rules, policy) =>
        rules.map(({ protocol, net, ports }) => {
          const name = protocol.toLowerCase();
          return `-A policy-${policy} -p ${name} -m ${name} -s ${net} --dport ${ports.join(':')} -j ACCEPT`;
        }),
      ),
      ...all.flatMap((i) => [
        `-A to-${i} ${established}`,
        `-A to-${i} -m conntrack --ctstate INVALID -j DROP`,
        ...times(POLICIES, (policy) => `-A to-${i} -j policy-${policy}`),
        `-A to-${i} -j DROP`,
        `-A from-${i} ! -s ${addressIn(10, i)}/32 -j DROP`,
        `-A from-${i} ${established}`,
        `-A from-${i} -j ACCEPT`,
      ]),
      'COMMIT',
      '',
    ];
    const file = join(directory, `${variant}-${acceptsEstablishedFirst}`);
    await writeFile(file, lines.join('\n'));
    await exec([`iptables-${variant}-restore`, file]);
  };
}
