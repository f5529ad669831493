export type { Diagnostic } from './diagnostics.ts';
export { DEFAULT_SECRETS_DIRECTORY } from './passwords.ts';
export type { FabricInputs } from './speaker-config.ts';
export { speakerConfigOf } from './speaker-config.ts';
