export { TraceError } from '../core/trace/trace-replay.ts';
export type { BmpStationView } from './bmp/bmp-station.ts';
export { DEFAULT_CONTROL_SOCKET } from './control-socket.ts';
export type { EventPage, SpeakerEvent } from './event-log.ts';
export { ListenError } from './listeners.ts';
export type { MessageCounts } from './message-counters.ts';
export { MrtFeedError } from './mrt-feed.ts';
export type { CapabilityView } from './operator/capability-views.ts';
export type { ClearedPeer } from './operator/clear-peer.ts';
export type { NeighborDetail } from './operator/neighbor-detail.ts';
export type { CapturePiece, CaptureRecord } from './operator/session-captures.ts';
export type {
  ExplainedPeer,
  ExplainedRoute,
  NamedUpdateGroup,
} from './operator/speaker-operator.ts';
export type { SpeakerStatistics } from './operator/speaker-statistics.ts';
export type { DumpPiece } from './operator/table-dumps.ts';
export { type ReplayOutcome, replayTraceFile } from './replay-trace-file.ts';
export type { CacheView, RpkiStatus } from './rpki/rpki-caches.ts';
export type { OriginAnswer, VrpPage } from './rpki/rpki-source.ts';
export type { Speaker } from './speaker.ts';
export { startSpeaker } from './speaker.ts';
export {
  askForSummary,
  askSpeaker,
  ControlSocketError,
  type SpeakerRequest,
} from './speaker-client.ts';
export { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';
export type { SpeakerOptions, StopKind } from './speaker-options.ts';
export type { PeerSummary, SessionSummary, SpeakerSummary } from './speaker-summary.ts';
export type { StandaloneRouterOptions } from './standalone-router.ts';
export { runStandaloneRouter } from './standalone-router.ts';
export { TraceFileError } from './trace-file.ts';
