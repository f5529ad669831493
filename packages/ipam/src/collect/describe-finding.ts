import type { BlockFinding, Finding } from './findings.ts';

/** One sentence for an operator. */
export function describeFinding(finding: Finding): string {
  switch (finding.type) {
    case 'leaked-address':
      return `${finding.address} was given to ${finding.handle} on node ${finding.node}, which is gone`;
    case 'not-in-use':
      return `${finding.address} was given to ${finding.handle ?? 'nobody'} on node ${finding.node ?? '(unknown)'}, and no endpoint has it`;
    case 'not-allocated':
      return `${finding.address} of ${finding.handle} was given by no block`;
    case 'outside-pools':
      return `${finding.address} of ${finding.handle ?? 'nobody'} is in no pool`;
    case 'unreadable':
      return `${finding.subject} cannot be read: ${finding.fault}`;
    case 'leaked-handle':
      return `handle ${finding.handle} counts addresses that no block has`;
    case 'miscounted-handle':
      return `handle ${finding.handle} counts other addresses than the blocks have`;
    case 'missing-handle':
      return `handle ${finding.handle} holds addresses and is not stored`;
    default:
      return describeBlock(finding);
  }
}

function describeBlock({ type, cidr, owner }: BlockFinding): string {
  const whose = owner ? `${owner.type === 'virtual' ? 'virtual ' : ''}${owner.name}` : 'nobody';
  switch (type) {
    case 'dangling-claim':
      return `${whose} claims ${cidr}, which does not exist or belongs to another`;
    case 'abandoned-block':
      return `${cidr} belongs to ${whose}, which is gone, and is empty`;
    case 'unclaimed-block':
      return `${cidr} belongs to ${whose}, whose claim is missing or was never confirmed`;
    case 'ownerless-block':
      return `${cidr} belongs to nobody and is empty`;
    case 'poolless-block':
      return `${cidr} of ${whose} is in no pool and is empty`;
    case 'idle-block':
      return `${cidr} is empty, and ${whose} has enough without it`;
    case 'cooled-block':
      return `${cidr} of ${whose} has addresses that have rested long enough`;
  }
}
