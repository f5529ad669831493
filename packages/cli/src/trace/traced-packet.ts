/** What one chain made of a packet. */
export interface TraceStep {
  /** `inet overland`. */
  readonly table: string;
  readonly chain: string;
  /** As nft writes it; absent: the policy of the chain. */
  readonly rule?: string;
  /** `jump CHAIN`, `drop`, `accept`, … */
  readonly verdict: string;
}

/** A packet's way through the hooks of nftables. */
export interface TracedPacket {
  readonly id: string;
  /** Interfaces; absent: this host. */
  readonly input?: string;
  readonly output?: string;
  readonly steps: readonly TraceStep[];
  readonly isDropped: boolean;
}

const LINE = /^trace id ([0-9a-f]+) (\S+ \S+) (\S+) (packet:|rule|verdict|policy) ?(.*?) *$/;
const RULE = /^(.*?) \(verdict (.*)\)$/;

/** Puts the lines of `nft monitor trace` together, packet by packet; their lines may alternate. */
export class TraceReader {
  readonly #packets = new Map<string, TracedPacket>();
  readonly #ownTable: string;

  /** @param ownTable Of the table that marks packets: its own steps are left out. */
  constructor(ownTable: string) {
    this.#ownTable = ownTable;
  }

  /** @returns The packet that the line is about, as far as it is known; `undefined`: the line is about none. */
  line(text: string): TracedPacket | undefined {
    const [, id, table = '', chain = '', what, rest = ''] = LINE.exec(text) ?? [];
    if (id === undefined) return undefined;
    const before = this.#packets.get(id) ?? { id, steps: [], isDropped: false };
    const packet =
      table === this.#ownTable ? before : withStep(before, { table, chain, what, rest });
    const after = what === 'packet:' ? { ...packet, ...interfacesOf(rest) } : packet;
    this.#packets.set(id, after);
    return after;
  }

  /** Takes a packet out, of which nothing more is to come. */
  take(id: string): TracedPacket | undefined {
    const packet = this.#packets.get(id);
    this.#packets.delete(id);
    return packet;
  }
}

function withStep(
  packet: TracedPacket,
  {
    table,
    chain,
    what,
    rest,
  }: { table: string; chain: string; what: string | undefined; rest: string },
): TracedPacket {
  const step = stepOf(what, rest);
  if (!step) return packet;
  return {
    ...packet,
    steps: [...packet.steps, { table, chain, ...step }],
    isDropped: packet.isDropped || /^(drop|reject)/.test(step.verdict),
  };
}

function stepOf(
  what: string | undefined,
  rest: string,
): Pick<TraceStep, 'rule' | 'verdict'> | undefined {
  if (what === 'rule') {
    const [, rule = rest, verdict = ''] = RULE.exec(rest) ?? [];
    return { rule, verdict };
  }
  // A mark may stand behind it.
  if (what === 'policy') return { verdict: rest.split(' ')[0] ?? '' };
  return undefined;
}

function interfacesOf(rest: string): Pick<TracedPacket, 'input' | 'output'> {
  const input = /\biif "([^"]+)"/.exec(rest)?.[1];
  const output = /\boif "([^"]+)"/.exec(rest)?.[1];
  return { ...(input === undefined ? {} : { input }), ...(output === undefined ? {} : { output }) };
}
