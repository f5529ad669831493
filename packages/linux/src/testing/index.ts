export type { CableEnd, TestNamespace } from './netns.ts';
export { cable, netns } from './netns.ts';
