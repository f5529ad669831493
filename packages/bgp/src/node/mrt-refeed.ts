import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Family, type Prefix, prefixBytes } from '@overland/net';
import type { SpeakerConfig } from '../core/config.ts';
import type { RouteEngine } from '../core/rib/route-engine.ts';
import { afiOf } from '../core/wire/address-family.ts';
import { AttributeCode, AttributeFlag, attributeType } from '../core/wire/attribute-set.ts';
import { describeNlri } from '../core/wire/nlri.ts';
import { UpdateDecoder } from '../core/wire/update.ts';
import { Writer } from '../core/wire/writer.ts';
import { feedMrt, type MrtFeedOutcome } from './mrt-feed.ts';

type FedEngine = Pick<RouteEngine, 'originateUpdate' | 'search'>;

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const PAGE = 1000;
/** Prefixes looked at in one go. */
const SEARCH_UNITS = 16_384;
const SAFI_UNICAST = 1;

/**
 * Reads the file of `originateFrom` again, or another one, while the speaker runs: what it says now is originated, and what only the
 * former one said is no more.
 *
 * @param config About to be in force.
 * @throws {MrtFeedError} If the file cannot be read; what came before is there, and nothing is gone.
 */
export async function refeedMrt(
  engine: FedEngine,
  config: SpeakerConfig,
): Promise<MrtFeedOutcome | undefined> {
  const fed = new Fed(engine);
  const outcome = config.originateFrom && (await feedMrt(fed, config.originateFrom));
  const { originate, aggregates = [], static: statics = [] } = config;
  const kept = new Set<Prefix>([
    ...fed.prefixes,
    ...originate,
    ...[...aggregates, ...statics].map(({ prefix }) => prefix),
  ]);
  for (const family of FAMILIES) await withdrawOthers(engine, family, kept);
  return outcome;
}

/** Originates, and remembers what. */
class Fed {
  readonly prefixes = new Set<Prefix>();
  readonly #engine: FedEngine;
  readonly #decoder = new UpdateDecoder();

  constructor(engine: FedEngine) {
    this.#engine = engine;
  }

  originateUpdate(body: Uint8Array, fourOctetAs: boolean): boolean {
    const isTaken = this.#engine.originateUpdate(body, fourOctetAs);
    const { announced, withdrawn } = this.#decoder;
    const context = { fourOctetAs, ebgp: false, families: FAMILIES, extendedNextHop: FAMILIES };
    if (this.#decoder.decode(body, context)) return isTaken;
    for (const { family, from, to } of withdrawn) {
      for (const { prefix } of describeNlri(family, { bytes: body, from, to })) {
        this.prefixes.delete(prefix);
      }
    }
    if (!isTaken) return false;
    for (const { family, from, to } of announced) {
      for (const { prefix } of describeNlri(family, { bytes: body, from, to })) {
        this.prefixes.add(prefix);
      }
    }
    return true;
  }
}

async function withdrawOthers(
  engine: FedEngine,
  family: Family,
  kept: ReadonlySet<Prefix>,
): Promise<void> {
  for (let after: Prefix | undefined; ; ) {
    const search = engine.search({ family, limit: PAGE, ...(after !== undefined && { after }) });
    while (search.step(SEARCH_UNITS)) await nextTurn();
    const { routes, next } = search.result();
    for (const { prefix, paths } of routes) {
      const isOwn = paths.some(({ peer }) => peer === null);
      if (isOwn && !kept.has(prefix)) engine.originateUpdate(withdrawalOf(family, prefix), true);
    }
    if (next === undefined) return;
    after = next;
    await nextTurn();
  }
}

/** The body of an UPDATE that withdraws one prefix. RFC 4271 section 4.3, RFC 4760 section 4. */
function withdrawalOf(family: Family, prefix: Prefix): Uint8Array {
  const { octets, length } = prefixBytes(prefix);
  const nlri = [length, ...octets.subarray(0, (length + 7) >> 3)];
  const writer = new Writer();
  if (family === 'ipv4') {
    return writer.u16(nlri.length).bytes(Uint8Array.from(nlri)).u16(0).finish();
  }
  const value = new Writer().u16(afiOf(family)).u8(SAFI_UNICAST).bytes(Uint8Array.from(nlri));
  const octetsOfValue = value.finish();
  writer.u16(0).u16(3 + octetsOfValue.length);
  writer.u16(attributeType(AttributeFlag.Optional, AttributeCode.MpUnreach));
  return writer.u8(octetsOfValue.length).bytes(octetsOfValue).finish();
}
