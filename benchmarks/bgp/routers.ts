import { startBirdRouter } from './routers/bird.ts';
import { startFrrRouter } from './routers/frr.ts';
import { startGobgpRouter } from './routers/gobgp.ts';
import { startOpenbgpdRouter } from './routers/openbgpd.ts';
import { overland } from './routers/overland.ts';
import type { StartRouter } from './routers/router.ts';

export const ROUTERS: Readonly<Record<string, StartRouter>> = {
  overland: overland(),
  bird: startBirdRouter,
  frr: startFrrRouter,
  openbgpd: startOpenbgpdRouter,
  gobgp: startGobgpRouter,
};
