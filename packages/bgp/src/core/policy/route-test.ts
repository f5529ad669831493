import { asPathTest } from './as-path-test.ts';
import { communityTest } from './community-test.ts';
import type { RouteFacts } from './compiled-policy.ts';
import type { RouteMatch } from './route-filter.ts';
import type { RouteReader } from './route-reader.ts';

/** @param route The attributes of `facts`. */
export type RouteTest = (facts: RouteFacts, route: RouteReader) => boolean;

/** The conditions of a rule that do not ask for the prefix. All must hold; cheap ones come first. */
export function routeTests(match: RouteMatch): RouteTest[] {
  const tests: RouteTest[] = [];
  const { peerType, isLearned, med, localPrefs, asPath, communities, nextHops } = match;
  if (peerType !== undefined) {
    const isEbgp = peerType === 'ebgp';
    tests.push((facts) => facts.isEbgp === isEbgp);
  }
  if (isLearned !== undefined) tests.push((facts) => facts.isLearned === isLearned);
  if (med !== undefined) tests.push((_facts, route) => route.med === med);
  if (localPrefs) tests.push((_facts, route) => localPrefs.includes(route.localPref));
  if (match.interface !== undefined) {
    const isSelected = wildcardTest(match.interface);
    tests.push((facts) => facts.interface !== undefined && isSelected(facts.interface));
  }
  if (nextHops) {
    tests.push(({ nextHop }) => nextHop !== undefined && nextHops.includes(nextHop));
  }
  if (asPath) {
    const isMatch = asPathTest(asPath);
    tests.push((_facts, route) => isMatch(route.asPath));
  }
  if (communities) {
    const isMatch = communityTest(communities);
    tests.push((_facts, route) => isMatch(route));
  }
  return tests;
}

/** `*` stands for any characters, also for none. */
function wildcardTest(pattern: string): (text: string) => boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < head.length + tail.length) return false;
    if (!text.startsWith(head) || !text.endsWith(tail)) return false;
    const end = text.length - tail.length;
    let at = head.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
