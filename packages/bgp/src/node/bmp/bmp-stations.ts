import type { BmpStationConfig } from '../../core/config.ts';
import type { UpSession } from '../../core/session/peer-events.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { BmpHost } from './bmp-host.ts';
import { BmpStation, type BmpStationView } from './bmp-station.ts';

/** The BMP stations of a speaker. Without any, nothing is watched. */
export class BmpStations implements Disposable {
  readonly #host: BmpHost;
  /** By what the configuration says of them. */
  #stations = new Map<string, BmpStation>();

  constructor(host: BmpHost) {
    this.#host = host;
  }

  /** Takes over which stations there are; those that stay are not touched. */
  configure(stations: readonly BmpStationConfig[] = []): void {
    const kept = new Map<string, BmpStation>();
    for (const config of stations) {
      const key = JSON.stringify(config);
      kept.set(key, this.#stations.get(key) ?? new BmpStation(config, this.#host));
    }
    for (const [key, station] of this.#stations) if (!kept.has(key)) station[Symbol.dispose]();
    this.#stations = kept;
  }

  sessionUp(runner: PeerRunner, session: UpSession): void {
    for (const station of this.#stations.values()) station.sessionUp(runner, session);
  }

  sessionDown(runner: PeerRunner): void {
    for (const station of this.#stations.values()) station.sessionDown(runner);
  }

  /** @returns Whether there is more that some station would take now. */
  work(deadlineMs: number): boolean {
    let more = false;
    for (const station of this.#stations.values()) if (station.work(deadlineMs)) more = true;
    return more;
  }

  view(): BmpStationView[] {
    return Array.from(this.#stations.values(), (station) => station.view());
  }

  [Symbol.dispose](): void {
    this.configure([]);
  }
}
