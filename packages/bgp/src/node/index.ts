export { ListenError } from './listeners.ts';
export type { MessageCounts } from './message-counters.ts';
export type { Speaker, SpeakerOptions, StopKind } from './speaker.ts';
export { startSpeaker } from './speaker.ts';
export { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';
export type { PeerSummary, SessionSummary, SpeakerSummary } from './speaker-summary.ts';
