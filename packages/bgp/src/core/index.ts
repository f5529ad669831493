export type { PeerConfig, SpeakerConfig } from './config.ts';
export type { RouteEngineOptions } from './rib/engine.ts';
export { createRouteEngine } from './rib/engine.ts';
export type {
  EstablishedSession,
  Gateway,
  InterfaceState,
  NotificationFault,
  PeerId,
  RouteCounters,
  RouteEngine,
  RoutePage,
  RouteQuery,
  RouteView,
} from './rib/route-engine.ts';
export type { SharedTables } from './rib/shared-tables.ts';
export { createSharedTables } from './rib/shared-tables.ts';
export type { PrefixLimit } from './session/prefix-limit.ts';
