import { z } from 'zod';

const variable = /^(CNI_.*|PATH)$/s;

const cniCall = z.strictObject({
  /** File name that the executable was called by. */
  program: z.string().max(255),
  /** Variables of the runtime that are for plugins. */
  env: z.record(z.string().regex(variable), z.string()),
  /** Standard input, as it came. */
  stdin: z.string(),
});

/** One run of the executable, as the shim passes it on. */
export type CniCall = Readonly<z.infer<typeof cniCall>>;

/** How the executable is to end. */
export interface CniReply {
  readonly exitCode: 0 | 1;
  readonly stdout: string;
}

/** @returns `undefined` if the shim has not said what it must. */
export function parseCall(body: unknown): CniCall | undefined {
  const result = cniCall.safeParse(body);
  return result.success ? result.data : undefined;
}
