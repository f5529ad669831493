import type { Logger } from 'pino';
import type { SpeakerConfig } from '../../core/config.ts';
import type { RouteEngine } from '../../core/rib/route-engine.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { OpenSocket } from '../transport.ts';

/** What a station is told about, and by which means. */
export interface BmpHost {
  readonly engine: RouteEngine;
  readonly log: Logger;
  readonly openSocket: OpenSocket;
  config(): SpeakerConfig;
  peers(): Iterable<PeerRunner>;
  /** There may be something to send. */
  wake(): void;
}
