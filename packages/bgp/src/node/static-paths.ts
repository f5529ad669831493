import type { StaticRoute } from '../core/config.ts';
import type { InterfaceState } from '../core/rib/route-engine.ts';
import type { BfdChange } from '../core/session/bfd-gate.ts';
import { type BfdPath, bfdPathText } from './bfd/bfd-path.ts';

/** What BFD says of the next hops of static routes. RFC 5882 section 5: what it says is down is not used. */
export class StaticPaths {
  readonly #down = new Map<string, BfdPath>();

  /** @param change `undefined`: BFD says no more of the path. @returns Whether it matters to any of the routes. */
  changed(
    path: BfdPath,
    change: BfdChange | undefined,
    routes: readonly StaticRoute[] = [],
  ): boolean {
    const text = bfdPathText(path);
    const wasDown = this.#down.delete(text);
    const isDown = change?.state === 'down';
    if (isDown) this.#down.set(text, path);
    return isDown !== wasDown && watchedPaths(routes).has(text);
  }

  /** Interfaces, with the next hops that are down among the neighbours that do not answer. */
  applyTo(
    interfaces: readonly InterfaceState[],
    routes: readonly StaticRoute[] = [],
  ): readonly InterfaceState[] {
    const watched = watchedPaths(routes);
    const down = [...this.#down].flatMap(([text, path]) => (watched.has(text) ? [path] : []));
    if (down.length === 0) return interfaces;
    return interfaces.map((link) => {
      const here = down.filter(({ device = link.name }) => device === link.name);
      const unreachable = [...(link.unreachable ?? []), ...here.map(({ address }) => address)];
      return { ...link, unreachable };
    });
  }
}

function watchedPaths(routes: readonly StaticRoute[]): ReadonlySet<string> {
  const hops = routes.flatMap(({ nextHops }) => nextHops.filter(({ bfd }) => bfd));
  return new Set(
    hops.map(({ address, interface: device }) =>
      bfdPathText({ address, ...(device !== undefined && { device }) }),
    ),
  );
}
