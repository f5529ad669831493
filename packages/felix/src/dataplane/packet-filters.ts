import type { IpSets, Iptables, IptablesVariant, Nftables } from '@overland/linux';
import type { Logger } from 'pino';
import type { FilterChoice, PacketFilter } from '../calc/filter-choice.ts';
import { TABLES } from '../calc/iptables/table-rules.ts';
import { TABLE } from '../calc/nftables/names.ts';
import { type Clock, systemClock } from './clock.ts';
import type { TableNotices } from './iptables/iptables-changes.ts';
import { IptablesPolicy } from './iptables/iptables-policy.ts';
import {
  hasForeignRules,
  hasOwnRules,
  removeOwnRules,
  removeOwnSets,
} from './iptables/own-rules.ts';
import { NftPolicy } from './nftables/nft-policy.ts';
import type { PolicyBackend } from './policy-backend.ts';
import type { PacketFilters } from './policy-switch.ts';

export interface HostFilters {
  readonly nftables: Nftables;
  readonly iptables: Readonly<Record<IptablesVariant, Iptables>>;
  readonly sets: IpSets;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** The packet filters of this host. */
export function packetFilters({
  nftables,
  iptables,
  sets,
  log,
  clock = systemClock,
}: HostFilters): PacketFilters {
  return {
    make({ filter, insertMode }: FilterChoice): PolicyBackend {
      if (filter === 'nftables') return new NftPolicy({ nftables, clock, log });
      const options = { iptables: iptables[variantOf(filter)], sets, clock, log, insertMode };
      if (filter === 'iptables-legacy') return new IptablesPolicy(options);
      const notices: TableNotices = (signal) => iptablesNotices(nftables, signal);
      return new IptablesPolicy({ ...options, notices });
    },

    async standing() {
      const standing: PacketFilter[] = [];
      if (await nftables.read(TABLE)) standing.push('nftables');
      for (const filter of ['iptables-legacy', 'iptables-nft'] as const) {
        if (await hasOwnRules(iptables[variantOf(filter)])) standing.push(filter);
      }
      return standing;
    },

    async remove(filter) {
      if (filter !== 'nftables') {
        await removeOwnRules(iptables[variantOf(filter)]);
        await removeOwnSets(sets);
      } else if (await nftables.read(TABLE)) {
        await nftables.transact([{ type: 'delete-table', table: TABLE }]);
      }
    },
  };
}

/** Whether others have rules in iptables-legacy: what policy allows must be accepted there, or it may be dropped. */
export async function livesOnLegacy({ iptables }: Pick<HostFilters, 'iptables'>): Promise<boolean> {
  return await hasForeignRules(iptables.legacy);
}

const IPTABLES = new Set(
  ['ip', 'ip6'].flatMap((family) => TABLES.map((table) => `${family} ${table}`)),
);

/** Changes of tables that iptables over nftables has; those of other tables concern it as little as us. */
async function* iptablesNotices(nftables: Nftables, signal: AbortSignal): AsyncGenerator<unknown> {
  for await (const table of nftables.foreignChanges(signal)) {
    if (table === undefined || IPTABLES.has(table)) yield table;
  }
}

function variantOf(filter: Exclude<PacketFilter, 'nftables'>): IptablesVariant {
  return filter === 'iptables-legacy' ? 'legacy' : 'nft';
}
