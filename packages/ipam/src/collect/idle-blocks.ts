import type { AffinityOwner } from '@overland/model';
import { familyOf, type Prefix } from '@overland/net';
import { affinityText, freeOrdinals, isEmpty, ownerOf } from '../block.ts';
import { SPARE_ADDRESSES } from '../free-blocks.ts';
import { isBlockOf, type Pool } from '../pool.ts';
import { reservedIn } from '../reservation.ts';
import type { Survey, SurveyedBlock } from './survey.ts';

/**
 * Blocks that their hosts can do without: empty, and what is left has twice the addresses at which a host claims a spare
 * block, so that none is given up only to be claimed again. Each host keeps a block of each family. An
 * empty block of a pool that does not select its host any more is of no use to it.
 */
export function idleBlocks(survey: Survey): ReadonlySet<Prefix> {
  const confirmed = new Set(
    survey.claims
      .filter(({ owner, state }) => state === 'confirmed' && isLiveHost(survey, owner))
      .map(({ owner, cidr }) => `${affinityText(owner)} ${cidr}`),
  );
  const held = survey.blocks.filter(({ cidr, value }) =>
    confirmed.has(`${value?.affinity} ${cidr}`),
  );
  const byHost = Map.groupBy(held, ({ cidr, value }) => `${value?.affinity} ${familyOf(cidr)}`);
  return new Set([...byHost.values()].flatMap((blocks) => idleOf(survey, blocks)));
}

function isLiveHost({ nodes }: Survey, { type, name }: AffinityOwner): boolean {
  return type === 'host' && nodes.has(name);
}

/** @param blocks Those of one host and family. */
function idleOf(survey: Survey, blocks: readonly SurveyedBlock[]): Prefix[] {
  const useful = new Set(blocks.filter((block) => isSelected(survey, block)));
  const idle = blocks.filter((block) => !useful.has(block) && isFree(block));
  let free = [...useful].reduce((sum, block) => sum + freeIn(survey, block), 0);
  let count = useful.size;
  for (const block of [...useful].filter(isFree)) {
    const without = free - freeIn(survey, block);
    if (count === 1 || without < 2 * SPARE_ADDRESSES) continue;
    idle.push(block);
    free = without;
    count--;
  }
  return idle.map(({ cidr }) => cidr);
}

function isFree({ value }: SurveyedBlock): boolean {
  return value !== undefined && isEmpty(value);
}

function freeIn({ reserved }: Survey, { cidr, value }: SurveyedBlock): number {
  return value ? freeOrdinals(value, reservedIn(reserved, cidr)).length : 0;
}

/** Whether the block is of a pool that selects its host; also if that cannot be told. */
function isSelected({ pools, nodes }: Survey, { cidr, value }: SurveyedBlock): boolean {
  const pool = pools.find((each): each is Pool => 'cidr' in each && isBlockOf(each, cidr));
  const owner = value && ownerOf(value);
  return !pool || pool.selectsNode(nodes.get(owner?.name ?? '') ?? {});
}
