import { addressFromBytes, prefixBytes } from '@overland/net';
import { AttributeCode } from '../wire/attribute-set.ts';
import { type DescribedAttribute, describeAttributes } from '../wire/describe-attributes.ts';
import { NlriList } from '../wire/nlri.ts';
import type { UpdateContext } from '../wire/update.ts';
import { identifier } from './attribute-view.ts';
import type { DecisionStep } from './decision.ts';
import { traceDecision } from './decision-trace.ts';
import type { FamilyRib } from './family-rib.ts';
import { removeMartians } from './martian.ts';
import { GroupFlag } from './path-groups.ts';
import type { RibOut, SentRoute } from './rib-out.ts';
import type { RibTables } from './rib-tables.ts';
import type { PrefixSelection } from './route-engine.ts';
import type {
  Absence,
  DecisionExplanation,
  ExplainQuery,
  ExportExplanation,
  ImportExplanation,
  NextHopExplanation,
  PathExplanation,
  RouteExplanation,
} from './route-explanation.ts';
import { lookUp } from './route-search.ts';
import type { RouteViews } from './route-view.ts';

/** Sets are read as those of an iBGP session: with LOCAL_PREF, and AS numbers of four octets. */
const SET_CONTEXT: UpdateContext = { fourOctetAs: true, ebgp: false, families: [] };

/** Values of steps that are no numbers to people. */
const VALUE_TEXTS: Readonly<Record<string, (value: number) => string>> = {
  originated: (value) => (value === 0 ? 'own' : 'learned'),
  'local-pref': (value) => String(-value),
  origin: (value) => ['igp', 'egp', 'incomplete'][value] ?? 'incomplete',
  'ebgp-over-ibgp': (value) => (value === 0 ? 'eBGP' : 'iBGP'),
  'router-id': identifier,
};

/** Whom an explanation is to tell whether they get the route. */
export interface Addressee {
  /** Absent: there is no session, or none of the family. */
  readonly out?: RibOut | undefined;
  readonly isUp: boolean;
}

/** The RIB that is asked. */
export interface ExplainContext {
  readonly rib: FamilyRib;
  readonly views: RouteViews;
  /** Nothing leaves yet: see `endDeferral`. */
  readonly isDeferred: boolean;
}

/** Explains one prefix. */
export function explainRoute(
  { prefix: selection }: ExplainQuery,
  to: Addressee | undefined,
  context: ExplainContext,
): RouteExplanation {
  const { rib } = context;
  const id = find(rib, selection, to?.out);
  const groups = id === 0 ? [] : rib.locRib.rank(groupsOf(rib, id));
  return {
    prefix: id === 0 ? selection.prefix : rib.tables.prefixes.prefix(id),
    paths: groups.map((group) => explainPath(context, id, group)),
    decision: explainDecision(rib, id, groups),
    export: to ? explainExport(context, id, to) : null,
    absence: groups.length === 0 ? absence(rib, selection) : null,
  };
}

function find(rib: FamilyRib, selection: PrefixSelection, out: RibOut | undefined): number {
  const { paths } = rib.tables;
  const isWanted = (id: number): boolean => paths.first(id) !== 0 || out?.isAdvertised(id) === true;
  const match = selection.match === 'longest' ? 'longest' : 'exact';
  const terms = { rib, isWanted, prefix: undefined, after: undefined };
  return lookUp(terms, { ...selection, match });
}

function groupsOf({ tables: { paths } }: FamilyRib, id: number): number[] {
  const groups = new Set<number>();
  for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
    groups.add(paths.group(path));
  }
  return [...groups];
}

function explainPath({ rib, views }: ExplainContext, id: number, group: number): PathExplanation {
  const { groups } = rib.tables;
  const [received, accepted] = [groups.received(group), groups.attribute(group)];
  return {
    path: views.path(rib, id, group, rib.locRib.chosen(id)),
    pathIds: pathIds(rib, id, group),
    ineligible: ineligible(rib, group),
    imported: groups.has(group, GroupFlag.Originated) ? null : explainImport(rib, id, group),
    received: describeSet(rib, received),
    accepted: accepted === received ? null : describeSet(rib, accepted),
    nextHop: explainNextHop(rib, group),
  };
}

function pathIds(rib: FamilyRib, id: number, group: number): number[] {
  const { groups, paths } = rib.tables;
  if (!rib.adjRibIn(groups.peer(group)).isIdentified) return [];
  const ids: number[] = [];
  for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
    if (paths.group(path) === group) ids.push(paths.identifier(path) >>> 0);
  }
  return ids.toSorted((a, b) => a - b);
}

function ineligible({ tables }: FamilyRib, group: number): PathExplanation['ineligible'] {
  if (tables.isEligible(group)) return null;
  const { groups, keepFrom } = tables;
  if (groups.generation(group) < keepFrom.get(groups.peer(group))) return 'session-ended';
  return groups.has(group, GroupFlag.Refused) ? 'refused' : 'next-hop';
}

function explainImport(rib: FamilyRib, id: number, group: number): ImportExplanation {
  const { tables } = rib;
  const { groups, prefixes, treatments, words } = tables;
  const { policy } = rib.adjRibIn(groups.peer(group));
  if (!policy) return { unsafe: null, rules: [], isPending: false };
  const session = { isEbgp: groups.has(group, GroupFlag.Ebgp), isLearned: true };
  const facts = tables.routeFacts(
    groups.received(group),
    groups.receivedNextHop(group),
    session,
    policy,
  );
  prefixes.readWords(id, words, 0);
  const { unsafe, rules, treatment } = policy.trace(facts, words, prefixes.length(id));
  const inForce = groups.treatment(group);
  const isPending = treatment !== inForce && inForce !== treatments.tooLong;
  return { unsafe: unsafe ?? null, rules, isPending };
}

function explainNextHop({ tables }: FamilyRib, group: number): NextHopExplanation {
  const { groups, nextHops, links } = tables;
  const nextHop = groups.nextHop(group);
  return {
    address: nextHops.addressOf(nextHop),
    state: nextHops.stateOf(nextHop, links),
    device: nextHops.deviceOf(nextHop, links) ?? null,
  };
}

function explainDecision(
  { tables, locRib: { decision } }: FamilyRib,
  id: number,
  groups: readonly number[],
): DecisionExplanation {
  const place = (group: number): number => groups.indexOf(group) + 1;
  const eligible = groups.filter((group) => tables.isEligible(group));
  const { steps, equal } = traceDecision(decision, eligible);
  return {
    isSettled: !tables.undecided.has(id),
    steps: steps.map(({ step, candidates, lost }) => {
      const textOf = VALUE_TEXTS[step.name] ?? String;
      const values = candidates.map((group) => ({
        path: place(group),
        value: step.compare
          ? (contentsOf(tables, step, group) ?? '-')
          : textOf(decision.valueOf(step, group)),
      }));
      return {
        step: step.name,
        values,
        lost: lost.map(({ group, against }) => ({ path: place(group), against: place(against) })),
      };
    }),
    equal: equal.map(({ group, share }) => ({ path: place(group), share })),
  };
}

/** What a step compares that no number stands for. */
function contentsOf(
  { groups, nextHops }: RibTables,
  { name }: DecisionStep,
  group: number,
): string | null {
  return name === 'next-hop' ? nextHops.addressOf(groups.nextHop(group)) : null;
}

function explainExport(
  { rib, isDeferred }: ExplainContext,
  id: number,
  { out, isUp }: Addressee,
): ExportExplanation {
  const nothing = { refusal: null, rules: [], sent: [] };
  if (!isUp) return { ...nothing, state: 'down' };
  if (!out) return { ...nothing, state: 'not-negotiated' };
  if (id === 0) return { ...nothing, state: 'withheld', refusal: 'no-route' };
  const refusal = out.refusalOf(id) ?? null;
  const state = out.stateOf(id);
  // Octets of one are gone when the next is asked for.
  const sent = refusal === null ? Array.from(out.sentOf(id), (one) => describeSent(one, out)) : [];
  const best = rib.locRib.best(id);
  const isJudged = best !== 0 && refusal !== 'split-horizon' && !sent[0]?.isDefaultOriginated;
  return {
    state: isDeferred && state === 'pending' ? 'deferred' : state,
    refusal,
    rules: isJudged ? (out.offer.egress.policy?.trace(best, id) ?? []) : [],
    sent,
  };
}

function describeSent(sent: SentRoute, out: RibOut): ExportExplanation['sent'][number] {
  const { group, pathId, attributes, nextHop } = sent;
  const field = { bytes: attributes.octets, from: 0, to: attributes.length };
  return {
    pathId,
    isDefaultOriginated: group === 0,
    // The next hop is put in when a message is packed.
    attributes: describeAttributes(field, SET_CONTEXT).filter(
      ({ code }) => code !== AttributeCode.NextHop,
    ),
    nextHop: nextHop ? addressFromBytes(nextHop) : null,
    isOwnNextHop: nextHop !== undefined && nextHop === out.offer.ownNextHop,
  };
}

function describeSet({ tables: { attributes } }: FamilyRib, id: number): DescribedAttribute[] {
  const from = attributes.offset(id);
  return describeAttributes(
    { bytes: attributes.bytes(id), from, to: from + attributes.length(id) },
    SET_CONTEXT,
  );
}

function absence(rib: FamilyRib, { prefix }: PrefixSelection): Absence {
  const { octets, length } = prefixBytes(prefix);
  const list = new NlriList(1);
  list.readOne(rib.family, octets, length);
  removeMartians(rib.family, list);
  const { paths, prefixes } = rib.tables;
  const isWanted = (id: number): boolean => paths.first(id) !== 0;
  const terms = { rib, isWanted, prefix: undefined, after: undefined };
  const covering = lookUp(terms, { prefix, match: 'longest' });
  return {
    isMartian: list.count === 0,
    covering: covering === 0 ? null : prefixes.prefix(covering),
  };
}
