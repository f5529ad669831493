export { answerCall } from './answer-call.ts';
export type { AddressWishes } from './attach-request.ts';
export type { CniCall, CniReply } from './cni-call.ts';
export { CNI_CODE, CniError } from './cni-error.ts';
export type { AddressHolder, CniHost } from './cni-host.ts';
export { runPlugin } from './run-plugin.ts';
