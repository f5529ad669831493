import { protocolText } from '@overland/model';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { EXIT } from '../exit-codes.ts';
import { readFlows, type SeenFlow } from '../flows/read-flows.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { type AnsweredFlow, FlowAnswers } from '../policy/ask-flow.ts';
import { readPolicyChange } from '../policy/policy-inputs.ts';
import { reasonText } from '../policy/reason-text.ts';
import { type Column, formatTable } from '../table.ts';

/** A flow that would be judged otherwise. */
interface ChangedFlow {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly before: 'allow' | 'deny';
  readonly after: 'allow' | 'deny';
  /** What would decide. */
  readonly why: string;
  /** Records in which it was seen. */
  readonly records: number;
}

const COLUMNS: readonly Column<ChangedFlow>[] = [
  { title: 'FROM', cell: ({ from }) => from },
  { title: 'TO', cell: ({ to }) => to },
  { title: 'PORT', cell: ({ what }) => what },
  { title: 'NOW', cell: ({ before }) => before },
  { title: 'THEN', cell: ({ after }) => after },
  { title: 'SEEN', cell: ({ records }) => records, align: 'right' },
  { title: 'BECAUSE', cell: ({ why }) => why },
];

/** `policy preview -f CHANGE | --staged [--flows FILE]` - which flows seen lately a change would let through, or cut off. */
export const policyPreview = command({
  name: 'policy preview',
  summary:
    'Say which flows seen lately manifests, or staged policies, would let through or cut off',
  description: `The flows are those that this host's agent remembers ('overland flows'), or those in files that 'overland flows -o json' or the agent has written, of any hosts. They are judged by the datastore's resources (or those of --base)
as they are, and with the manifests of -f applied, or with staged policies enforced (--staged), or both. Nothing is written. Exit code 0 if no verdict changes, 7 if some do.`,
  options: {
    ...MANIFEST_OPTIONS,
    staged: { type: 'boolean', summary: 'with the staged policies enforced' },
    flows: { type: 'list', value: 'file', summary: 'records of flows, a line of JSON each' },
    base: {
      type: 'list',
      value: 'file',
      summary: 'manifests of the cluster as it is, instead of the datastore',
    },
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland policy preview -f new-policy.yaml', 'before it is applied'],
    [
      'overland policy preview --staged',
      'what the staged policies would have denied, or let through',
    ],
    [
      'overland policy preview -f new.yaml --base cluster/ --flows monday.ndjson',
      'from files alone',
    ],
  ],
  async handle(context, { flows: files, staged, base, config, output, ...change }) {
    if (change.filename.length === 0 && !staged) {
      throw new UsageError('policy preview needs a change: -f FILE, or --staged');
    }
    const { stdout, stderr, colours } = context;
    const { before, after, problems } = await readPolicyChange(change, { base, config }, context);
    for (const { resource, reason } of problems) stderr.write(`${resource}: ${reason}\n`);
    const flows = await readFlows(files, context);
    const [now, applied] = [await FlowAnswers.of(before), await FlowAnswers.of(after)];
    const then = (staged ? applied.withStaged() : undefined) ?? applied;
    const changed = flows.flatMap((flow) => changeOf(flow, now, then));
    if (output === 'json') {
      stdout.write(`${JSON.stringify({ flows: flows.length, changed })}\n`);
    } else {
      if (changed.length > 0) stdout.write(formatTable(COLUMNS, changed, colours.bold));
      stdout.write(`${flows.length} flows seen, ${changed.length} would change verdict\n`);
    }
    return changed.length === 0 ? EXIT.success : EXIT.refused;
  },
});

function changeOf(flow: SeenFlow, now: FlowAnswers, then: FlowAnswers): ChangedFlow[] {
  const { source, destination, port, protocol, icmpType, icmpCode, records } = flow;
  const question = {
    from: source.address,
    to: destination.address,
    kind: { protocol, destinationPort: port, icmpType, icmpCode },
    family: undefined,
  };
  const [was, becomes] = [now.ask(question), then.ask(question)];
  if (was.explanation.action === becomes.explanation.action) return [];
  return [
    {
      from: nameOf(source, was.from),
      to: nameOf(destination, was.to),
      what: whatText(flow),
      before: was.explanation.action,
      after: becomes.explanation.action,
      why: whyOf(becomes),
      records,
    },
  ];
}

/** The resources' name for it, or the record's where they have none. */
function nameOf({ address, name }: SeenFlow['source'], known: string): string {
  return known === address ? (name ?? address) : known;
}

function whatText({ port, protocol, icmpType }: SeenFlow): string {
  const name = protocolText(protocol).toLowerCase();
  if (port !== undefined) return `${port}/${name}`;
  return icmpType === undefined ? name : `${name}/${icmpType}`;
}

/** Of what is denied, who denies it; else the last who was asked. */
function whyOf({ explanation: { steps } }: AnsweredFlow): string {
  const step = steps.find(({ action }) => action === 'deny') ?? steps.at(-1);
  return step ? reasonText(step) : 'no policy is asked';
}
