import type { AddPathSelection } from '../src/core/config.ts';
import {
  type NaiveAttributes,
  type NaivePeer,
  type NaiveRules,
  naiveDecision,
  naiveImport,
} from './naive-rib.ts';

/** One path of a prefix as the model keeps it. RFC 7911. */
export interface NaivePath {
  readonly prefix: string;
  readonly nextHop: string;
  readonly attributes: NaiveAttributes;
  /** Of the session that it came over; `undefined`: that had no path identifiers. */
  readonly pathId: number | undefined;
  stale: boolean;
}

/** A peer that may have several paths of a prefix. */
export interface NaivePathPeer extends NaivePeer {
  /** Whether its session has path identifiers. */
  identified: boolean;
  /** Takes the place of `routes`. */
  paths: NaivePath[];
}

/** The peer says something of a prefix: what is left of it from a session of the other kind is void. */
function forgetOtherKind(peer: NaivePathPeer, prefix: string): void {
  const isOfThisKind = ({ pathId }: NaivePath): boolean =>
    (pathId !== undefined) === peer.identified;
  peer.paths = peer.paths.filter((path) => path.prefix !== prefix || isOfThisKind(path));
}

export function withdrawPath(
  peer: NaivePathPeer,
  prefix: string,
  pathId: number | undefined,
): void {
  forgetOtherKind(peer, prefix);
  peer.paths = peer.paths.filter((path) => path.prefix !== prefix || path.pathId !== pathId);
}

/** A path and who it came from. */
export interface NaiveChoice {
  readonly peer: NaivePathPeer;
  readonly path: NaivePath;
  /** As accepted. */
  readonly attributes: NaiveAttributes;
}

/**
 * The decision process where peers may have several paths: each path is a peer of its own, and those of one peer stand in
 * the order that breaks ties between them.
 */
export function naivePathDecision(
  peers: readonly NaivePathPeer[],
  prefix: string,
  rules: NaiveRules,
): NaiveChoice[] {
  const single = new Map<NaivePeer, { readonly peer: NaivePathPeer; readonly path: NaivePath }>();
  for (const peer of peers) {
    const paths = peer.paths.filter((path) => path.prefix === prefix);
    const accepted = (path: NaivePath): NaiveAttributes =>
      naiveImport(peer, prefix, path, rules) ?? path.attributes;
    const inTieOrder = (a: NaivePath, b: NaivePath): number =>
      compareText(a.nextHop, b.nextHop) || compareAttributes(accepted(a), accepted(b));
    for (const path of distinct(paths).toSorted(inTieOrder)) {
      const { attributes, stale } = path;
      const routes = new Map([[prefix, { attributes, stale }]]);
      single.set({ ...peer, routes }, { peer, path });
    }
  }
  return naiveDecision([...single.keys()], prefix, rules).flatMap((chosen) => {
    const found = single.get(chosen.peer);
    return found ? [{ ...found, attributes: chosen.route.attributes }] : [];
  });
}

/** The paths that somebody gets, best first where that means something. RFC 7911. */
export function naiveSelection(
  peers: readonly NaivePathPeer[],
  prefix: string,
  rules: NaiveRules,
  {
    selection,
    mayHave,
  }: { selection: AddPathSelection; mayHave: (choice: NaiveChoice) => boolean },
): NaiveChoice[] {
  if (selection === 'multipath') return naivePathDecision(peers, prefix, rules).filter(mayHave);
  if (selection === 'all') {
    const all = peers.flatMap((peer) => peer.paths.map((path) => ({ peer, path })));
    return all.flatMap(({ peer, path }) => {
      if (path.prefix !== prefix || rules.dead.has(peer.device)) return [];
      const attributes = naiveImport(peer, prefix, path, rules);
      const choice = attributes && { peer, path, attributes };
      return choice && mayHave(choice) ? [choice] : [];
    });
  }
  const selected: NaiveChoice[] = [];
  let left = [...peers];
  while (selected.length < selection.best) {
    const [best] = naivePathDecision(left, prefix, rules);
    if (!best) break;
    if (mayHave(best)) selected.push(best);
    left = left.map((peer) => (peer.name === best.peer.name ? without(peer, best.path) : peer));
  }
  return selected;
}

function without(peer: NaivePathPeer, gone: NaivePath): NaivePathPeer {
  return { ...peer, paths: peer.paths.filter((path) => keyOf(path) !== keyOf(gone)) };
}

/** A route that a peer gave twice in one session counts once. */
function distinct(paths: readonly NaivePath[]): NaivePath[] {
  return [...new Map(paths.map((path) => [keyOf(path), path])).values()];
}

function keyOf({ prefix, nextHop, attributes, stale }: NaivePath): string {
  return JSON.stringify([prefix, nextHop, attributes, stale]);
}

/** As far as the decision process has left them equal. */
function compareAttributes(a: NaiveAttributes, b: NaiveAttributes): number {
  return (
    compareNumbers(a.asPath, b.asPath) || compareNumbers(a.communities ?? [], b.communities ?? [])
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    if (value !== b[i]) return value - (b[i] ?? -1);
  }
  return a.length - b.length;
}
