import { protocolText } from '@overland/model';
import type { ActiveRule, ActiveSide } from './active-rule.ts';
import type { SetTexts } from './address-sets.ts';
import { icmpText, portsText } from './condition-text.ts';

/** A rule on one line, for people: `Allow TCP from app == "web" (12) to ports 443`. */
export function ruleText(rule: ActiveRule, sets: SetTexts): string {
  const { action, ipVersion, protocol, notProtocol, icmp, notIcmp, source, destination } = rule;
  const parts = [
    action,
    ipVersion === undefined ? undefined : `IPv${ipVersion}`,
    protocol === undefined ? undefined : protocolText(protocol),
    notProtocol === undefined ? undefined : `not ${protocolText(notProtocol)}`,
    icmp && icmpText(icmp),
    notIcmp && `not ${icmpText(notIcmp)}`,
    sideText('from', source, sets),
    sideText('to', destination, sets),
    rule.inert === undefined ? undefined : `(never matches: ${rule.inert})`,
  ];
  return parts.filter(Boolean).join(' ');
}

function sideText(word: 'from' | 'to', side: ActiveSide, sets: SetTexts): string | undefined {
  const set = (id: string) => `${sets.text(id)} (${sets.size(id)})`;
  const parts = [
    side.nets.length > 0 ? side.nets.join(', ') : undefined,
    ...side.sets.map(set),
    side.notNets.length > 0 ? `not ${side.notNets.join(', ')}` : undefined,
    ...side.notSets.map((id) => `not ${set(id)}`),
    side.ports && `ports ${portsText(side.ports, set)}`,
    side.notPorts && `not ports ${portsText(side.notPorts, set)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `${word} ${parts.join(' and ')}`;
}
