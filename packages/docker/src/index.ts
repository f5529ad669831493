export { answerCall } from './answer-call.ts';
export type { AddressWish, DockerHost, Pool } from './docker-host.ts';
export type { EngineContainer, EngineNetwork } from './engine/engine-client.ts';
export { EngineClient } from './engine/engine-client.ts';
export { identityOf } from './engine/identity-of.ts';
export { RecordFiles } from './record-files.ts';
export type { AddressLease, DockerEndpoint, DockerNetwork } from './records.ts';
export { attachmentOf } from './records.ts';
