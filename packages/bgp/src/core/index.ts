export type { PeerConfig, SpeakerConfig } from './config.ts';
