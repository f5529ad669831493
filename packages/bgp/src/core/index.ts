export type { PeerConfig, SpeakerConfig } from './config.ts';
export type {
  EstablishedSession,
  InterfaceState,
  NotificationFault,
  PeerId,
  RouteCounters,
  RouteEngine,
  RoutePage,
  RouteQuery,
  RouteView,
} from './rib/route-engine.ts';
