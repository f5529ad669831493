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
import { portNameSet, type SetDemand, selectorSet } from './address-sets.ts';

const ALL: Expression = { type: 'all' };

/** @param namespace Of the policy, if it has one: it bounds selectors that do not speak of namespaces. */
export function activateRule(
  rule: PolicyRule,
  namespace: string | undefined,
  sets: SetDemand,
): ActiveRule {
  const { action, ipVersion, protocol, notProtocol, icmp, notICMP, source, destination } = rule;
  return {
    action,
    ipVersion,
    protocol: protocol === undefined ? undefined : protocolNumber(protocol),
    notProtocol: notProtocol === undefined ? undefined : protocolNumber(notProtocol),
    icmp,
    notIcmp: notICMP,
    source: activateSide(source, namespace, sets),
    destination: activateSide(destination, namespace, sets),
    inert: inertness(rule),
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

function activateSide(
  side: RuleSide = {},
  namespace: string | undefined,
  sets: SetDemand,
): ActiveSide {
  const selector = sideSelector(side, namespace);
  const { nets = [], notNets = [], notSelector } = side;
  const portMatches = (ports: RuleSide['ports'] = []) =>
    ports.length === 0 ? undefined : portsOf(ports, selector ?? ALL, sets);
  return {
    nets,
    notNets,
    sets: selector ? [sets.demand(selectorSet(selector))] : [],
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
