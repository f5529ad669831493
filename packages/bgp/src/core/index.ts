export type { PeerConfig, SpeakerConfig } from './config.ts';
export { applyEdits, TOO_LONG } from './policy/apply-edits.ts';
export type { AttributeEdits } from './policy/attribute-edits.ts';
export { compileFilters } from './policy/compile-filters.ts';
export type {
  CompiledPolicy,
  PrefixVerdicts,
  RouteFacts,
  Verdict,
} from './policy/compiled-policy.ts';
export type {
  AsPathMatch,
  Community,
  CommunityMatch,
  FilterRule,
  PrefixMatch,
  RouteChanges,
  RouteFilter,
  RouteMatch,
} from './policy/route-filter.ts';
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
export type {
  ExportExplanation,
  PathExplanation,
  PeerCensus,
  RouteExplanation,
} from './rib/route-explanation.ts';
export type { SharedTables } from './rib/shared-tables.ts';
export { createSharedTables } from './rib/shared-tables.ts';
export type { BfdChange, BfdState } from './session/bfd-gate.ts';
export type { PrefixLimit } from './session/prefix-limit.ts';
export type { RemoteAs } from './session/remote-as.ts';
export { remoteAsText } from './session/remote-as.ts';
export { placeOf } from './session/unnumbered.ts';
