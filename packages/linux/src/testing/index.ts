export { userTimeoutOf } from '../tcp-socket.ts';
export { describeKernel } from './describe-kernel.ts';
export type { FakeKernel } from './fake-kernel.ts';
export { fakeKernel } from './fake-kernel.ts';
export type { FakeNftables } from './fake-nftables.ts';
export { fakeNftables } from './fake-nftables.ts';
export type { KernelPair } from './kernel-pair.ts';
export type { CableEnd, TestNamespace } from './netns.ts';
export { cable, netns } from './netns.ts';
