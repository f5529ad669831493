import type { Revision } from '@overland/datastore';
import type { AffinityOwner } from '@overland/model';
import { contains, type IpAddress, type Prefix } from '@overland/net';
import { affinityText, allocationsOf, isEmpty, ownerOf, RESERVED_HANDLE } from '../block.ts';
import { collectCooled } from '../cooldown.ts';
import { sameCounts } from '../handle.ts';
import { idleBlocks } from './idle-blocks.ts';
import type { Survey, SurveyedBlock, SurveyedClaim } from './survey.ts';

/** An address whose holder is gone, or one that is used without having been given. */
export interface AddressFinding {
  readonly type: /** Its node is gone, and no endpoint has it. */
    | 'leaked-address'
    /** Given to a node that exists, but no endpoint has it. Whoever got it may be about to make one. */
    | 'not-in-use'
    /** An endpoint has it, and no block gave it. */
    | 'not-allocated'
    /** In use, and in no pool. */
    | 'outside-pools';
  readonly address: IpAddress;
  readonly handle: string | undefined;
  readonly sequence: bigint;
  readonly node: string | undefined;
}

/** A block, or a claim on one, that should not be as it is. */
export interface BlockFinding {
  readonly type: /** A claim without a block, or on the block of another. */
    | 'dangling-claim'
    /** Its owner is a node that is gone, and it is empty. */
    | 'abandoned-block'
    /** It names an owner who has no claim on it, or one that was never confirmed or half given up. */
    | 'unclaimed-block'
    /** Nobody's, and empty. */
    | 'ownerless-block'
    /** In no pool, and empty. */
    | 'poolless-block'
    /** Empty, and its host has enough without it. */
    | 'idle-block'
    /** Holds addresses that have rested long enough and can be free. */
    | 'cooled-block';
  readonly cidr: Prefix;
  readonly owner: AffinityOwner | undefined;
  readonly claimRevision: Revision | undefined;
  readonly blockRevision: Revision | undefined;
}

/** A handle that says something else than the blocks do. */
export interface HandleFinding {
  readonly type: 'miscounted-handle' | 'leaked-handle' | 'missing-handle';
  readonly handle: string;
  readonly revision: Revision | undefined;
  /** What the blocks say. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Something that nobody can read. */
interface UnreadableFinding {
  readonly type: 'unreadable';
  readonly subject: string;
  readonly fault: string;
}

export type Finding = AddressFinding | BlockFinding | HandleFinding | UnreadableFinding;

/** Everything in a survey that is not as it should be. Nothing is said yet about whether it will pass. */
export function findingsOf(survey: Survey): Finding[] {
  return [
    ...unreadable(survey),
    ...blockFindings(survey),
    ...addressFindings(survey),
    ...handleFindings(survey),
  ];
}

/** Equal for two findings of the same thing in the same state: what changed meanwhile is observed anew. */
export function identityOf(finding: Finding): string {
  switch (finding.type) {
    case 'leaked-address':
    case 'not-in-use':
    case 'not-allocated':
    case 'outside-pools':
      return `${finding.type} ${finding.address} ${finding.handle} ${finding.sequence}`;
    case 'unreadable':
      return `${finding.type} ${finding.subject} ${finding.fault}`;
    case 'miscounted-handle':
    case 'leaked-handle':
    case 'missing-handle':
      return `${finding.type} ${finding.handle} ${finding.revision} ${JSON.stringify(finding.counts)}`;
    default:
      return `${finding.type} ${finding.cidr} ${finding.claimRevision} ${finding.blockRevision}`;
  }
}

function unreadable({ blocks, handles, pools }: Survey): UnreadableFinding[] {
  const found = (subject: string, fault: string | undefined): UnreadableFinding[] =>
    fault === undefined ? [] : [{ type: 'unreadable', subject, fault }];
  return [
    ...blocks.flatMap(({ cidr, fault }) => found(`block ${cidr}`, fault)),
    ...handles.flatMap(({ id, fault }) => found(`handle ${id}`, fault)),
    ...pools.flatMap((pool) => ('fault' in pool ? found(`pool ${pool.name}`, pool.fault) : [])),
  ];
}

function blockFindings(survey: Survey): BlockFinding[] {
  const { claims, blocks, nodes, pools } = survey;
  const byCidr = new Map(blocks.map((block) => [block.cidr, block]));
  const claimOf = new Map(
    claims.map((claim) => [`${affinityText(claim.owner)} ${claim.cidr}`, claim]),
  );
  const isGone = (owner: AffinityOwner): boolean => owner.type === 'host' && !nodes.has(owner.name);
  // A pool that cannot be read may be the one.
  const isPoolKnown = pools.every((pool) => 'cidr' in pool);
  const isPooled = (cidr: Prefix): boolean =>
    !isPoolKnown || pools.some((pool) => 'cidr' in pool && contains(pool.cidr, cidr));
  const idle = idleBlocks(survey);

  const dangling = claims.flatMap(({ owner, cidr, revision }): BlockFinding[] => {
    const block = byCidr.get(cidr);
    if (block && block.value?.affinity === affinityText(owner)) return [];
    if (block && !block.value) return [];
    const blockRevision = block?.revision;
    return [{ type: 'dangling-claim', cidr, owner, claimRevision: revision, blockRevision }];
  });
  const wrong = blocks.flatMap(({ cidr, value, revision }): BlockFinding[] => {
    if (!value) return [];
    const owner = ownerOf(value);
    const claim = owner && claimOf.get(`${affinityText(owner)} ${cidr}`);
    const at = { cidr, owner, claimRevision: claim?.revision, blockRevision: revision };
    const found = (type: BlockFinding['type']): BlockFinding[] => [{ type, ...at }];
    if (isEmpty(value)) {
      if (!isPooled(cidr)) return found('poolless-block');
      if (!owner) return value.affinity === undefined ? found('ownerless-block') : [];
      if (isGone(owner)) return found('abandoned-block');
    }
    if (owner && isHalfMade(claim)) return found('unclaimed-block');
    const cooldown = { now: survey.takenAt, seconds: survey.config.ipCooldownSeconds };
    if (collectCooled(value, cooldown) !== value) return found('cooled-block');
    return idle.has(cidr) ? found('idle-block') : [];
  });
  return [...dangling, ...wrong];
}

function isHalfMade(claim: SurveyedClaim | undefined): boolean {
  return !claim || claim.state === 'pending' || claim.state === 'pendingDeletion';
}

function addressFindings({ blocks, nodes, pools, inUse }: Survey): AddressFinding[] {
  const found: AddressFinding[] = [];
  const allocated = new Set<IpAddress>();
  const isKept = new Set<string>();
  for (const block of blocks) {
    const isPooled = pools.some((pool) => !('cidr' in pool) || contains(pool.cidr, block.cidr));
    for (const { address, handle, attributes, sequence } of allocationsIn(block)) {
      allocated.add(address);
      if (handle === RESERVED_HANDLE) continue;
      const owner = block.value && ownerOf(block.value);
      const node = attributes.node ?? (owner?.type === 'host' ? owner.name : undefined);
      const at = { address, handle, sequence, node };
      if (!isPooled) found.push({ type: 'outside-pools', ...at });
      const isLost = node !== undefined && !nodes.has(node) && !inUse.has(address);
      if (isLost && handle !== undefined) found.push({ type: 'leaked-address', ...at });
      else {
        if (handle !== undefined) isKept.add(handle);
        if (!inUse.has(address)) found.push({ type: 'not-in-use', ...at });
      }
    }
  }
  for (const [address, user] of inUse) {
    const isOurs = pools.some((pool) => 'cidr' in pool && contains(pool.cidr, address));
    if (allocated.has(address) || !isOurs) continue;
    const at = { address, handle: user, sequence: 0n, node: undefined };
    found.push({ type: 'not-allocated', ...at });
  }
  // All addresses of a handle go, or none.
  return found.map((finding) =>
    finding.type === 'leaked-address' && isKept.has(finding.handle ?? '')
      ? { ...finding, type: 'not-in-use' }
      : finding,
  );
}

function handleFindings({ handles, blocks }: Survey): HandleFinding[] {
  const counted = new Map<string, Record<string, number>>();
  const unreadableBlocks = new Set<string>();
  for (const block of blocks) {
    if (!block.value) unreadableBlocks.add(block.cidr);
    for (const { handle } of allocationsIn(block)) {
      if (handle === undefined || handle === RESERVED_HANDLE) continue;
      const counts = counted.get(handle) ?? {};
      counts[block.cidr] = (counts[block.cidr] ?? 0) + 1;
      counted.set(handle, counts);
    }
  }
  const found: HandleFinding[] = [];
  for (const { id, revision, value } of handles) {
    const counts = counted.get(id) ?? {};
    counted.delete(id);
    // What a block that nobody can read holds, nobody knows.
    if (!value || Object.keys(value.blocks).some((cidr) => unreadableBlocks.has(cidr))) continue;
    if (sameCounts(value, counts)) continue;
    const type = Object.keys(counts).length === 0 ? 'leaked-handle' : 'miscounted-handle';
    found.push({ type, handle: id, revision, counts });
  }
  for (const [handle, counts] of counted) {
    found.push({ type: 'missing-handle', handle, revision: undefined, counts });
  }
  return found;
}

function allocationsIn({ value }: SurveyedBlock) {
  return value ? allocationsOf(value) : [];
}
