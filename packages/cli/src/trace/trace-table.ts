import type { FlowKind, FlowPlace } from '@overland/felix/policy';
import { hasPorts } from '@overland/model';
import { familyOf } from '@overland/net';

/** Before everything else that looks at packets, connection tracking included. */
const PRIORITY = -500;
const ICMP = 1;
const ICMPV6 = 58;

/** The two ends of what is traced, and what it is. */
export interface TracedFlow {
  readonly from: FlowPlace;
  readonly to: FlowPlace;
  readonly kind: FlowKind;
}

/**
 * A table of nft that marks packets of a flow for tracing, wherever they come from.
 *
 * @returns `undefined` if the ends have no addresses of one family.
 */
export function traceTable(name: string, flow: TracedFlow): string | undefined {
  const rules = ruleConditions(flow).map((conditions) => `\t\t${conditions} meta nftrace set 1`);
  if (rules.length === 0) return undefined;
  const chains = ['prerouting', 'output'].map((hook) =>
    [
      `\tchain ${hook} {`,
      `\t\ttype filter hook ${hook} priority ${PRIORITY}; policy accept;`,
      ...rules,
      '\t}',
    ].join('\n'),
  );
  return `table inet ${name} {\n${chains.join('\n')}\n}\n`;
}

function ruleConditions({ from, to, kind }: TracedFlow): string[] {
  return from.addresses.flatMap((source) =>
    to.addresses
      .filter((destination) => familyOf(destination) === familyOf(source))
      .map((destination) => {
        const ip = familyOf(source) === 'ipv4' ? 'ip' : 'ip6';
        return [`${ip} saddr ${source} ${ip} daddr ${destination}`, kindConditions(kind)].join(' ');
      }),
  );
}

function kindConditions({ protocol, destinationPort, icmpType }: FlowKind): string {
  if (destinationPort !== undefined && hasPorts(protocol)) {
    return `meta l4proto ${protocol} th dport ${destinationPort}`;
  }
  const icmp = protocol === ICMP ? 'icmp' : protocol === ICMPV6 ? 'icmpv6' : undefined;
  const isTyped = icmp !== undefined && icmpType !== undefined;
  return `meta l4proto ${protocol}${isTyped ? ` ${icmp} type ${icmpType}` : ''}`;
}
