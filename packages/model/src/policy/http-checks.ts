import { protocolNumber } from './protocol.ts';
import type { RuleCheck } from './rule-checks.ts';

const MAX_ITEMS = 20;
const MAX_PATH = 1024;

/** What a match on HTTP demands. It is enforced by a proxy, so only rules that let traffic through to one can have it. */
export function httpChecks(): RuleCheck[] {
  return [
    {
      about: 'http',
      rule: 'must come with action Allow',
      broken: ({ http, action }) => (http && action !== 'Allow' ? ['http'] : []),
    },
    {
      about: 'http',
      rule: 'must come with protocol TCP, or none',
      broken: ({ http, protocol }) =>
        http && protocol !== undefined && protocolNumber(protocol) !== 6 ? ['http'] : [],
    },
    {
      about: 'http.methods',
      rule: `must have at most ${MAX_ITEMS} items`,
      broken: ({ http }) =>
        (['methods', 'paths'] as const).flatMap((field) =>
          (http?.[field]?.length ?? 0) > MAX_ITEMS ? [`http.${field}`] : [],
        ),
    },
    {
      about: 'http.methods',
      rule: 'must not name a method twice',
      broken: ({ http: { methods = [] } = {} }) =>
        new Set(methods).size < methods.length ? ['http.methods'] : [],
    },
    {
      about: 'http.paths[]',
      rule: `must have exactly one of exact and prefix: a path that starts with "/", without "?", "#" and spaces, of at most ${MAX_PATH} characters`,
      broken: ({ http }) =>
        (http?.paths ?? []).flatMap(({ exact, prefix }, i) =>
          isPath(exact || prefix) && !(exact && prefix) ? [] : [`http.paths[${i}]`],
        ),
    },
  ];
}

function isPath(text: string | undefined): boolean {
  return text !== undefined && text.length <= MAX_PATH && /^\/[^?# ]*$/.test(text);
}
