import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { FlowRecord } from '@overland/agent/client';
import { protocolNamed } from '@overland/model';
import { type IpAddress, isAddress } from '@overland/net';
import { z } from 'zod';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { type CommandContext, UsageError } from '../command.ts';

/** A flow that somebody has seen, and how often. */
export interface SeenFlow {
  readonly source: SeenEnd;
  readonly destination: SeenEnd;
  readonly port: number | undefined;
  readonly protocol: number;
  readonly icmpType: number | undefined;
  readonly icmpCode: number | undefined;
  /** Records of it. */
  readonly records: number;
}

interface SeenEnd {
  readonly address: IpAddress;
  readonly name: string | undefined;
}

/** So long the agent listens if it has not before, milliseconds. */
const WAIT_MS = 3000;
/** More than any operator looks at. */
const MAX_FLOWS = 100_000;

const end = z.object({
  address: z.custom<IpAddress>((value) => typeof value === 'string' && isAddress(value), {
    error: 'must be an address',
  }),
  name: z.string().optional(),
});

/** What is read of a record; there may be more in it. */
const seen = z.object({
  source: end,
  destination: end.extend({ port: z.int().min(1).max(65_535).optional() }),
  protocol: z.string().transform((text, context) => {
    const number = protocolNamed(text) ?? (/^\d{1,3}$/.test(text) ? Number(text) : 256);
    if (number <= 255) return number;
    context.addIssue({ code: 'custom', message: 'must be the name or the number of a protocol' });
    return z.NEVER;
  }),
  icmpType: z.int().min(0).max(255).optional(),
  icmpCode: z.int().min(0).max(255).optional(),
});

/**
 * The flows in files of `overland flows -o json`, or those that this host's agent remembers if there are no files; each once.
 *
 * @throws {UsageError} If a file cannot be read, or a line of it is no record.
 */
export async function readFlows(
  files: readonly string[],
  context: CommandContext,
): Promise<readonly SeenFlow[]> {
  const flows = new Map<string, SeenFlow>();
  const add = ({ source, destination, ...rest }: z.infer<typeof seen>): void => {
    const { protocol, icmpType, icmpCode } = rest;
    const { port } = destination;
    const what = [port, protocol, icmpType, icmpCode];
    const key = [source.address, destination.address, ...what].join(' ');
    const known = flows.get(key);
    if (!known && flows.size >= MAX_FLOWS) return;
    const ends = { source: endOf(source), destination: endOf(destination) };
    const records = (known?.records ?? 0) + 1;
    flows.set(key, { ...ends, port, protocol, icmpType, icmpCode, records });
  };
  for (const file of files) {
    for await (const record of recordsOf(file, context.workingDirectory)) add(record);
  }
  if (files.length === 0) for (const record of await remembered(context)) add(seen.parse(record));
  return [...flows.values()];
}

function endOf({ address, name }: z.infer<typeof end>): SeenEnd {
  return { address, name };
}

async function* recordsOf(
  file: string,
  workingDirectory: string,
): AsyncGenerator<z.infer<typeof seen>> {
  let number = 0;
  try {
    const lines = createInterface({ input: createReadStream(resolve(workingDirectory, file)) });
    for await (const line of lines) {
      number += 1;
      if (line.trim() !== '') yield recordOf(line, `${file} line ${number}`);
    }
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UsageError(`${file} cannot be read: ${error.message}`, { cause: error });
  }
}

function recordOf(line: string, place: string): z.infer<typeof seen> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UsageError(`${place} is not JSON`, { cause: error });
  }
  const { data, error } = seen.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new UsageError(`${place} is no flow record: ${field}: ${issue?.message}`);
}

async function remembered(context: CommandContext): Promise<readonly FlowRecord[]> {
  const agent = connectAgent(context);
  return await reportingAgentErrors(async () => {
    const all: FlowRecord[] = [];
    let waitMs = WAIT_MS;
    for (let after = 0; ; waitMs = 0) {
      const { records, next } = await agent.flows({ after, waitMs }, context.signal);
      all.push(...records);
      if (records.length === 0 || next === after) return all;
      after = next;
    }
  });
}
