export type { Diagnostic } from './diagnostics.ts';
export type { FabricInputs } from './speaker-config.ts';
export { speakerConfigOf } from './speaker-config.ts';
