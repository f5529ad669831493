import { startBirdRouter } from './routers/bird.ts';
import { startFrrRouter } from './routers/frr.ts';
import { startGobgpRouter } from './routers/gobgp.ts';
import { startOpenbgpdRouter } from './routers/openbgpd.ts';
import { overland } from './routers/overland.ts';
import type { Router } from './routers/router.ts';

const HOLD_SECONDS = 90;

export const ROUTERS: Readonly<Record<string, Router>> = {
  overland: overland(),
  bird: { start: startBirdRouter, holdSeconds: HOLD_SECONDS, writesKernel: true },
  frr: { start: startFrrRouter, holdSeconds: HOLD_SECONDS, writesKernel: false },
  openbgpd: { start: startOpenbgpdRouter, holdSeconds: HOLD_SECONDS, writesKernel: false },
  gobgp: { start: startGobgpRouter, holdSeconds: HOLD_SECONDS, writesKernel: false },
};
