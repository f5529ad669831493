import type { Family, Prefix } from '@overland/net';
import { MAX_ATTRIBUTE_OCTETS } from '../src/core/rib/attribute-table.ts';
import type { RouteView } from '../src/core/rib/route-engine.ts';
import { asNumbers } from '../src/core/wire/as-path.ts';
import { AttributeSummary } from '../src/core/wire/attribute-summary.ts';
import type { NlriSection } from '../src/core/wire/mp-attributes.ts';
import { describeNlri } from '../src/core/wire/nlri.ts';
import { type UpdateContext, UpdateDecoder } from '../src/core/wire/update.ts';

/** What a peer has announced and not withdrawn, read message by message into plain maps. */
export class NaiveTable {
  readonly routes: Readonly<Record<Family, Map<Prefix, string>>> = {
    ipv4: new Map(),
    ipv6: new Map(),
  };
  readonly #decoder = new UpdateDecoder();

  /** @returns Whether the session goes on. */
  receive(body: Uint8Array, context: UpdateContext): boolean {
    const decoder = this.#decoder;
    if (decoder.decode(body, context)) return false;
    for (const section of decoder.withdrawn) this.#withdraw(body, section);
    const isRefused =
      decoder.withdrawReason !== undefined ||
      decoder.asPathRefusal !== undefined ||
      decoder.attributes.length > MAX_ATTRIBUTE_OCTETS;
    for (const section of decoder.announced) {
      if (section.from === section.to) continue;
      if (isRefused) this.#withdraw(body, section);
      else this.#announce(body, section);
    }
    return true;
  }

  clear(): void {
    for (const routes of Object.values(this.routes)) routes.clear();
  }

  #withdraw(body: Uint8Array, { family, from, to }: NlriSection): void {
    for (const { prefix } of describeNlri(family, { bytes: body, from, to })) {
      this.routes[family].delete(prefix);
    }
  }

  #announce(body: Uint8Array, { family, from, to }: NlriSection): void {
    const { attributes } = this.#decoder;
    const summary = new AttributeSummary();
    summary.read(attributes.octets, 0, attributes.length);
    const text = routeText(asNumbers(summary.asPath), summary.origin, summary.med ?? null);
    for (const { prefix } of describeNlri(family, { bytes: body, from, to })) {
      if (!isMartian(prefix)) this.routes[family].set(prefix, text);
    }
  }
}

/** The same words of a route that an engine shows. */
export function shownText({ asPath, origin, med }: RouteView['paths'][number]): string {
  return routeText(asPath, ['igp', 'egp', 'incomplete'].indexOf(origin), med);
}

function routeText(asPath: readonly number[], origin: number, med: number | null): string {
  return `${asPath.join(' ')} origin ${origin} med ${med}`;
}

/** This-host, loopback, multicast and reserved space of IPv4; multicast, link-local and the two lowest of IPv6. */
function isMartian(prefix: Prefix): boolean {
  const [address = '', length = ''] = prefix.split('/');
  if (address.includes(':')) {
    if (/^f(f|e[89ab])/.test(address) && address.split(':')[0]?.length === 4) return true;
    return length === '128' && (address === '::' || address === '::1');
  }
  const first = Number(address.split('.')[0]);
  return first === 127 || first >= 224 || (first === 0 && Number(length) >= 8);
}
