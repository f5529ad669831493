import type { ExportExplanation, PathExplanation, RouteExplanation } from '@overland/bgp';
import type { ExplainedRoute, NeighborDetail } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';
import {
  attributesText,
  nextHopFault,
  nextHopText,
  ruleText,
  sendRefusalText,
  stepText,
} from './explain-words.ts';
import { whyDown, whyNotNegotiated } from './prefix-hints.ts';

/** Why a prefix is routed as it is, in words. */
export function explainText({ route, to }: ExplainedRoute, colours: Colours): string {
  const lines = [
    headline(route, colours),
    ...route.paths.flatMap((path, index) => ['', ...pathLines(path, index + 1, colours)]),
    ...decisionLines(route, colours),
    ...(to ? exportLines(route, to, colours) : []),
  ];
  return `${lines.join('\n')}\n`;
}

function headline({ prefix, paths, absence }: RouteExplanation, colours: Colours): string {
  const title = colours.bold(prefix);
  if (!absence) {
    const isChosen = paths.some(({ path }) => path.best);
    const count = paths.length === 1 ? '1 path' : `${paths.length} paths`;
    return `${title}: ${count}${isChosen ? '' : colours.yellow(', none of which can be chosen')}`;
  }
  const reasons = [
    'there is no path',
    ...(absence.isMartian
      ? ['it can never be routed, and is refused of every peer (martian)']
      : []),
    ...(absence.covering === null ? [] : [`what covers it is ${absence.covering}`]),
  ];
  return `${title}: ${reasons.join('; ')}`;
}

function pathLines(explanation: PathExplanation, place: number, colours: Colours): string[] {
  const { path, pathIds, imported, received, accepted, nextHop } = explanation;
  const source = path.peer === null ? 'originated here' : `from ${path.peer}`;
  const kind = path.peer === null ? '' : path.internal ? ', iBGP' : ', eBGP';
  const ids = pathIds.length > 0 ? `, path id ${pathIds.join(' and ')}` : '';
  const rules = imported?.rules.map(ruleText) ?? [];
  return [
    `Path ${place} ${source}${kind}${ids}, next hop ${nextHopText(nextHop)}: ${standing(explanation, colours)}`,
    `  attributes: ${attributesText(accepted ?? received)}`,
    ...(accepted ? [`  as received: ${attributesText(received)}`] : []),
    ...(path.rpki ? [`  origin: ${ORIGIN_STATES[path.rpki]} (RPKI)`] : []),
    ...(rules.length > 0 ? [`  import rules: ${rules.join('; ')}`] : []),
    ...(imported?.isPending
      ? [colours.yellow('  the import policy has changed and is being applied')]
      : []),
  ];
}

const ORIGIN_STATES = {
  valid: 'valid',
  invalid: 'invalid: another AS, or another length, is authorised',
  'not-found': 'nobody is authorised',
} as const;

/** What became of a path. */
function standing({ path, ineligible, nextHop }: PathExplanation, colours: Colours): string {
  const stale = path.stale ? ', stale (from before the session came up)' : '';
  if (ineligible === null) {
    if (path.best) return colours.green(`best${stale}`);
    return `${path.multipath ? 'shares the load' : 'not chosen'}${stale}`;
  }
  return colours.yellow(`cannot be chosen: ${whyIneligible(ineligible, path.refused, nextHop)}`);
}

function whyIneligible(
  reason: NonNullable<PathExplanation['ineligible']>,
  refused: string | null,
  { address, state }: PathExplanation['nextHop'],
): string {
  switch (reason) {
    case 'refused':
      return `import refuses it (${refused ?? 'reason unknown'})`;
    case 'session-ended':
      return 'its session has ended';
    case 'next-hop':
      return `next hop ${address ?? 'self'} ${nextHopFault(state)}`;
  }
}

function decisionLines({ decision, paths }: RouteExplanation, colours: Colours): string[] {
  const { isSettled, steps, equal } = decision;
  const pending = isSettled || paths.length === 0 ? [] : [colours.yellow('It is being decided.')];
  const width = Math.max(0, ...steps.map(({ step }) => step.length));
  const table = steps.map((one) => `  ${one.step.padEnd(width)}  ${stepText(one)}`);
  const others = equal.filter(({ share }) => share !== 'best');
  const shares = others.map(({ path, share }) => `${path} ${SHARES[share]}`).join(', ');
  return [
    ...(table.length > 0 ? ['', colours.bold('Decision'), ...table] : []),
    ...(others.length > 0 ? [`  of equal cost: ${shares}`] : []),
    ...(pending.length > 0 ? ['', ...pending] : []),
  ];
}

const SHARES = {
  best: 'is best',
  multipath: 'shares the load',
  'other-as-path': 'does not share the load (another AS_PATH; multipath.relaxAsPath is off)',
  'above-max-paths': 'does not share the load (multipath.maxPaths)',
} as const satisfies Record<RouteExplanation['decision']['equal'][number]['share'], string>;

function exportLines(route: RouteExplanation, to: NeighborDetail, colours: Colours): string[] {
  if (!route.export) return [];
  const { state, refusal, rules, sent } = route.export;
  const told = fateText(route, { state, refusal }, to);
  const isThere = state === 'advertised' || (state === 'pending' && refusal === null);
  return [
    '',
    `${colours.bold(`To ${to.name}`)}: ${isThere ? told : colours.yellow(told)}`,
    ...(rules.length > 0 ? [`  export rules: ${rules.map(ruleText).join('; ')}`] : []),
    ...sent.flatMap(sentLines),
  ];
}

function sentLines(sent: ExportExplanation['sent'][number]): string[] {
  const { pathId, nextHop, isOwnNextHop, attributes, isDefaultOriginated } = sent;
  const id = pathId === null ? '' : `, path id ${pathId}`;
  return [
    `  next hop: ${nextHop ?? 'none'}${isOwnNextHop ? ' (ours)' : ''}${id}`,
    `  attributes: ${attributesText(attributes)}`,
    ...(isDefaultOriginated ? ['  the peer is offered it by itself (defaultOriginate)'] : []),
  ];
}

/** What becomes of a route towards a peer, and why. */
export function fateText(
  { prefix }: Pick<RouteExplanation, 'prefix'>,
  { state, refusal }: Pick<ExportExplanation, 'state' | 'refusal'>,
  to: NeighborDetail,
): string {
  const why = refusal === null ? '' : sendRefusalText(refusal);
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  switch (state) {
    case 'advertised':
      return refusal === null ? 'advertised' : `advertised, and about to be withdrawn: ${why}`;
    case 'pending':
      return 'about to be sent';
    case 'withdrawing':
      return `about to be withdrawn: ${why}`;
    case 'withheld':
      return `not advertised: ${why}`;
    case 'deferred':
      return 'not yet: after the restart, nothing is sent before the routes of the peers are there';
    case 'down':
      return `not advertised: ${whyDown(to)}`;
    case 'not-negotiated':
      return `not advertised: ${whyNotNegotiated(to, family)}`;
  }
}
