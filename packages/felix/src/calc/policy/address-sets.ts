import { type Expression, formatSelector, type Labels, matches } from '@overland/model';
import { selectorId } from '@overland/model/selector-id';
import { contains, type IpAddress, networkAddress, type Prefix } from '@overland/net';
import type { SetId } from './active-rule.ts';
import type { UnusableNetworkSets } from './unusable-network-set.ts';

/** Whatever selectors can select: an endpoint, or a network set. */
export interface Labelled {
  readonly labels: Labels;
  /** Of an endpoint, single addresses. */
  readonly nets: readonly Prefix[];
  readonly ports: readonly NamedPort[];
}

/** A port that has a name. */
export interface NamedPort {
  readonly name: string;
  /** IP protocol number. */
  readonly protocol: number;
  readonly port: number;
}

/** What a set holds: the addresses that a selector selects, or those ports of them that have a name. */
export interface SetDefinition {
  readonly id: SetId;
  readonly selector: Expression;
  readonly portName: string | undefined;
}

/** What is said of sets to people. */
export interface SetTexts {
  text(id: SetId): string;
  /** Ranges or ports in it. */
  size(id: SetId): number;
}

/** The selector, and the port's name. */
export function setText({ selector, portName }: Omit<SetDefinition, 'id'>): string {
  if (portName === undefined) return formatSelector(selector);
  return selector.type === 'all' ? portName : `${portName} of ${formatSelector(selector)}`;
}

/** The set of what a selector selects. */
export function selectorSet(selector: Expression): SetDefinition {
  return { id: selectorId(selector), selector, portName: undefined };
}

/** The set of the ports with a name, of what a selector selects. */
export function portNameSet(portName: string, selector: Expression): SetDefinition {
  return { id: `n:${portName}:${selectorId(selector)}`, selector, portName };
}

/** Takes note of the sets that rules ask for. */
export interface SetDemand {
  /** @returns The set's name. */
  demand(definition: SetDefinition): SetId;
}

/** What is to be known of sets where rules are made. */
export interface RuleSets extends SetDemand {
  /** Whether {@link unreadable} may tell of any. */
  readonly hasUnreadable: boolean;
  /** A network set that cannot be read and that a selector may select; `undefined`: there is none. */
  unreadable(selector: Expression): string | undefined;
}

/** One member of a set; ports only where the set is of ports. */
export interface SetMember {
  readonly net: Prefix;
  readonly protocol?: number;
  readonly port?: number;
}

/** The sets that rules ask for, each with what it holds; those that nobody asks for cost nothing. */
export class AddressSets implements RuleSets, SetTexts {
  readonly #labelled: readonly Labelled[];
  readonly #definitions = new Map<SetId, SetDefinition>();
  readonly #members = new Map<SetId, readonly SetMember[]>();
  readonly #unusable: UnusableNetworkSets | undefined;

  constructor(labelled: readonly Labelled[], unusable?: UnusableNetworkSets) {
    this.#labelled = labelled;
    this.#unusable = unusable;
  }

  demand(definition: SetDefinition): SetId {
    if (!this.#definitions.has(definition.id)) this.#definitions.set(definition.id, definition);
    return definition.id;
  }

  get hasUnreadable(): boolean {
    return this.#unusable?.areThere ?? false;
  }

  unreadable(selector: Expression): string | undefined {
    return this.#unusable?.selectedBy(selector);
  }

  /** @throws {RangeError} If no rule has asked for the set. */
  definition(id: SetId): SetDefinition {
    const found = this.#definitions.get(id);
    if (!found) throw new RangeError(`there is no set ${id}`);
    return found;
  }

  text(id: SetId): string {
    return setText(this.definition(id));
  }

  size(id: SetId): number {
    return this.members(id).length;
  }

  members(id: SetId): readonly SetMember[] {
    const known = this.#members.get(id);
    if (known) return known;
    const { selector, portName } = this.definition(id);
    const members = this.#labelled
      .filter(({ labels }) => matches(selector, labels))
      .flatMap(({ nets, ports }) =>
        portName === undefined ? nets.map((net) => ({ net })) : withPorts(nets, ports, portName),
      );
    this.#members.set(id, members);
    return members;
  }

  /** Whether a set of addresses holds one. */
  holds(id: SetId, address: IpAddress): boolean {
    return this.members(id).some(({ net }) => contains(net, address));
  }

  /** Whether a set of ports holds one. */
  holdsPort(id: SetId, address: IpAddress, protocol: number, port: number): boolean {
    return this.members(id).some(
      (member) =>
        member.port === port &&
        member.protocol === protocol &&
        networkAddress(member.net) === address,
    );
  }
}

function withPorts(
  nets: readonly Prefix[],
  ports: readonly NamedPort[],
  name: string,
): SetMember[] {
  return ports
    .filter((port) => port.name === name)
    .flatMap(({ protocol, port }) => nets.map((net) => ({ net, protocol, port })));
}
