import type { Datastore } from '@overland/datastore';
import type { IpAddress } from '@overland/net';
import { InconsistentBlockError } from '../errors.ts';
import type { Instant } from '../instant.ts';
import { type Finding, findingsOf, identityOf } from './findings.ts';
import { isRepairable, repair } from './repair.ts';
import { type Observations, ripen } from './ripen.ts';
import { takeSurvey } from './survey.ts';

/** What one round found and did. */
export interface Collected {
  /** What was put right. */
  readonly repaired: readonly Finding[];
  /** Addresses among them that are free again, or cool down. */
  readonly released: readonly IpAddress[];
  /** What is seen for the first time, or not for long enough yet. */
  readonly waiting: number;
}

/** Collects garbage in the whole cluster: one at a time is enough, and several do no harm. */
export interface Collector {
  /**
   * One look at everything, and repairs of what has been so for long enough. Needs nothing but the datastore.
   *
   * @throws {UnavailableError} If the datastore does not answer. The next call goes on.
   */
  collect(): Promise<Collected>;
}

/** What {@link createCollector} needs. */
export interface CollectorOptions {
  readonly datastore: Datastore;
  readonly now: () => Instant;
  /** How long something must have been as it is, between two looks at least. */
  readonly graceSeconds: number;
}

/** Remembers what it has seen from call to call, and nothing when it is made anew: then everything waits again. */
export function createCollector({ datastore, now, graceSeconds }: CollectorOptions): Collector {
  let observations: Observations = new Map();
  return {
    async collect() {
      const survey = await takeSurvey(datastore, now());
      const seen = findingsOf(survey).filter(isRepairable);
      const times = { identityOf, now: survey.takenAt.getTime(), graceMs: graceSeconds * 1000 };
      const ripened = ripen(seen, observations, times);
      observations = ripened.observations;
      const repaired: Finding[] = [];
      for (const finding of ripened.ripe) {
        if (await repairIfReadable(datastore, now, survey.nodes, finding)) repaired.push(finding);
      }
      return {
        repaired,
        released: repaired.flatMap((finding) =>
          finding.type === 'leaked-address' ? finding.address : [],
        ),
        waiting: seen.length - ripened.ripe.length,
      };
    },
  };
}

/** One block that nobody can read must not keep the rest from being repaired. */
async function repairIfReadable(
  datastore: Datastore,
  now: () => Instant,
  nodes: { has(node: string): boolean },
  finding: Finding,
): Promise<boolean> {
  try {
    return await repair({ datastore, now, nodes }, finding);
  } catch (error) {
    if (error instanceof InconsistentBlockError) return false;
    throw error;
  }
}
