import { WORKLOAD_LINK } from '@overland/net';
import type { Direction } from '../policy/policy-view.ts';
import type { EndpointFilter, PolicyState } from '../policy-state.ts';
import { dispatchChains } from './dispatch-chains.ts';
import { CHAIN, limitChain } from './names.ts';
import { clearMark, comment, hasMark, MARK, setMark } from './words.ts';

type Chains = ReadonlyMap<string, readonly string[]>;

const OWN = `${WORKLOAD_LINK.namePrefix}+`;
/** Who has no limit goes on. A chain without rules would have nothing that tells whose it is. */
const UNLIMITED: readonly string[] = [comment('No limit')];
/** What others may have marked with our bit is not our word. */
const FORGET = clearMark(MARK.over);

/**
 * Chains of the table `mangle` that count packets and connections of workloads with limits, and set code points; none where nobody
 * has one.
 * They are not in `filter` because iptables-legacy writes a table as a whole: the kernel counts connections by rule, and
 * would begin at none with every change of a policy.
 *
 * @returns Also rules for the chains that built-in ones lead to, by their names.
 */
export function limitChains({ endpoints }: PolicyState): {
  readonly chains: Chains;
  readonly entries: Chains;
} {
  const chains = new Map<string, readonly string[]>();
  const targets = { ingress: new Map<string, string>(), egress: new Map<string, string>() };
  for (const [name, endpoint] of endpoints) {
    for (const direction of ['ingress', 'egress'] as const) {
      const rules = countingRules(name, direction, endpoint);
      if (rules.length === 0) continue;
      chains.set(limitChain(direction, name), rules);
      targets[direction].set(name, limitChain(direction, name));
    }
  }
  const addTree = (root: string, option: '-i' | '-o', ways: ReadonlyMap<string, string>) => {
    if (ways.size === 0) return [];
    const tree = dispatchChains(root, option, ways, UNLIMITED);
    for (const [chain, rules] of [...tree].toReversed()) chains.set(chain, rules);
    return [`${option} ${OWN} -j ${root}`];
  };
  const from = addTree(CHAIN.fromLimited, '-i', targets.egress);
  const through = [...from, ...addTree(CHAIN.toLimited, '-o', targets.ingress)];
  const entries = new Map<string, readonly string[]>();
  if (from.length > 0) entries.set(CHAIN.input, [FORGET, ...from]);
  if (through.length > 0) entries.set(CHAIN.forward, [FORGET, ...through]);
  return { chains, entries };
}

function countingRules(
  interfaceName: string,
  direction: Direction,
  { guard }: EndpointFilter,
): string[] {
  const { packets, connections } = guard?.limits[direction] ?? {};
  return [
    ...(packets ? [packetRule(`${interfaceName}-${direction}`, packets)] : []),
    ...(direction === 'egress' && guard?.dscp !== undefined
      ? [`-j DSCP --set-dscp 0x${guard.dscp.toString(16).padStart(2, '0')}`]
      : []),
    ...(connections === undefined
      ? []
      : [
          `-m conntrack --ctstate NEW -m connlimit --connlimit-above ${connections} --connlimit-mask 0 ${setMark(MARK.over)}`,
        ]),
  ];
}

/** The kernel keeps the count, and the limit, by the name: another limit is another name. */
function packetRule(
  name: string,
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
): string {
  const limit = `--hashlimit-above ${perSecond}/sec --hashlimit-burst ${burst}`;
  return `-m hashlimit ${limit} --hashlimit-name ${name}-${perSecond}-${burst} -j DROP`;
}

/** Rules of an endpoint's chain in `filter`, for the first packet of a connection. Clients over TCP are told at once. */
export function overLimitRules({ guard }: EndpointFilter, direction: Direction): string[] {
  if (guard?.limits[direction].connections === undefined) return [];
  return [
    `-p 6 ${hasMark(MARK.over)} -j REJECT --reject-with tcp-reset`,
    `${hasMark(MARK.over)} -j DROP`,
  ];
}
