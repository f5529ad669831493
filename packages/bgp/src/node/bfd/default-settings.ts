import type { BfdSettings } from '../../core/bfd/bfd-session.ts';

/** FRR's defaults: 300 ms, three times. */
export const DEFAULT_BFD_SETTINGS: BfdSettings = {
  transmitIntervalUs: 300_000,
  receiveIntervalUs: 300_000,
  detectMultiplier: 3,
  passive: false,
};
