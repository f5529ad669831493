export { answerCall, type CniCall, type CniReply, parseCall } from './answer-call.ts';
export type { AddressWishes } from './attach-request.ts';
export { CNI_CODE, CniError } from './cni-error.ts';
export type { AddressHolder, CniHost } from './cni-host.ts';
export { runPlugin } from './run-plugin.ts';
