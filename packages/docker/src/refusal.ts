/** The call asks for what is not there, or not possible. Its message is for whoever typed the command. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
}
