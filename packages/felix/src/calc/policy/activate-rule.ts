import {
  type Expression,
  type PolicyRule,
  parsePort,
  parseSelector,
  protocolNumber,
  type RuleSide,
  sideSelector,
} from '@overland/model';
import type { ActiveRule, ActiveSide, PortMatches } from './active-rule.ts';
import { portNameSet, type RuleSets, type SetDemand, selectorSet } from './address-sets.ts';

const ALL: Expression = { type: 'all' };

/**
 * A rule that asks for network sets of which nobody knows what they hold goes by what is closed: Allow only where it
 * matches whatever they hold, Deny wherever it may match. Pass denies what it may pass: what comes next may allow it.
 *
 * @param namespace Of the policy, if it has one: it bounds selectors that do not speak of namespaces.
 */
export function activateRule(
  rule: PolicyRule,
  namespace: string | undefined,
  sets: RuleSets,
): ActiveRule {
  const unknown = unknownOf(rule, namespace, sets);
  const isAny = (end: 'source' | 'destination') =>
    rule.action !== 'Allow' && unknown.some((one) => one.end === end && !one.isExcluded);
  const { ipVersion, protocol, notProtocol, icmp, notICMP, source, destination } = rule;
  return {
    action: rule.action === 'Pass' && unknown.length > 0 ? 'Deny' : rule.action,
    ipVersion,
    protocol: protocol === undefined ? undefined : protocolNumber(protocol),
    notProtocol: notProtocol === undefined ? undefined : protocolNumber(notProtocol),
    icmp,
    notIcmp: notICMP,
    source: activateSide(source, { namespace, sets, isAny: isAny('source') }),
    destination: activateSide(destination, { namespace, sets, isAny: isAny('destination') }),
    inert: inertness(rule) ?? closedBy(rule, unknown),
  };
}

/** An Allow that asks for more than we can check must not allow less than it asks for. */
function inertness({ http, source, destination }: PolicyRule): string | undefined {
  if (http) return 'http: requests are not looked into, so the rule is left out';
  if (source?.services ?? destination?.services) {
    return 'services: there is no Kubernetes to ask, so the rule is left out';
  }
  return undefined;
}

/** A selector of a rule that may select a network set that cannot be read. */
interface Unknown {
  readonly end: 'source' | 'destination';
  /** By `notSelector`. */
  readonly isExcluded: boolean;
  readonly networkSet: string;
}

function unknownOf(rule: PolicyRule, namespace: string | undefined, sets: RuleSets): Unknown[] {
  if (!sets.hasUnreadable) return [];
  return (['source', 'destination'] as const).flatMap((end) => {
    const side = rule[end] ?? {};
    const { notSelector } = side;
    const asked = [
      [false, sideSelector(side, namespace)],
      [true, notSelector ? parseSelector(notSelector) : undefined],
    ] as const;
    return asked.flatMap(([isExcluded, selector]) => {
      const networkSet = selector && sets.unreadable(selector);
      return networkSet === undefined ? [] : [{ end, isExcluded, networkSet }];
    });
  });
}

/** An Allow of whatever is not in a set: that may be nothing. */
function closedBy({ action }: PolicyRule, unknown: readonly Unknown[]): string | undefined {
  const excluded = action === 'Allow' ? unknown.find(({ isExcluded }) => isExcluded) : undefined;
  return excluded && `${excluded.networkSet} cannot be read, so the rule allows nothing`;
}

interface SideSets {
  readonly namespace: string | undefined;
  readonly sets: SetDemand;
  /** Whether the selector may select any address. */
  readonly isAny: boolean;
}

function activateSide(side: RuleSide = {}, { namespace, sets, isAny }: SideSets): ActiveSide {
  const selector = sideSelector(side, namespace);
  const { nets = [], notNets = [], notSelector } = side;
  const portMatches = (ports: RuleSide['ports'] = []) =>
    ports.length === 0 ? undefined : portsOf(ports, selector ?? ALL, sets);
  return {
    nets,
    notNets,
    sets: selector && !isAny ? [sets.demand(selectorSet(selector))] : [],
    notSets: notSelector ? [sets.demand(selectorSet(parseSelector(notSelector)))] : [],
    ports: portMatches(side.ports),
    notPorts: portMatches(side.notPorts),
  };
}

function portsOf(
  ports: NonNullable<RuleSide['ports']>,
  selector: Expression,
  sets: SetDemand,
): PortMatches {
  const parsed = ports.map(parsePort);
  return {
    ranges: parsed.flatMap((port) => (port.type === 'range' ? [port] : [])),
    sets: parsed.flatMap((port) =>
      port.type === 'name' ? [sets.demand(portNameSet(port.name, selector))] : [],
    ),
  };
}
