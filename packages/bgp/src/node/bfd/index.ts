export { askForBfdStatus } from './bfd-client.ts';
export type { BfdPeer, BfdReport, BfdStatus, BfdSummary } from './bfd-peer.ts';
export { runBfdProcess } from './bfd-process.ts';
export { BfdSocketError, DEFAULT_BFD_SOCKET } from './messages.ts';
export { PeerArgumentError, parsePeerArgument } from './peer-argument.ts';
export { thisProgram } from './start-process.ts';
