export { coloursFor } from './colours.ts';
export { type CommandContext, FailureError, UsageError } from './command.ts';
export { runProgram } from './program.ts';
