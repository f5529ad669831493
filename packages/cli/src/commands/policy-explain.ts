import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { FlowAnswers } from '../policy/ask-flow.ts';
import { parseFlowKind } from '../policy/flow-kind.ts';
import { flowText } from '../policy/flow-text.ts';
import { readPolicies } from '../policy/policy-inputs.ts';
import { POLICY_OPTIONS } from '../policy/policy-options.ts';

/** `policy explain --from A --to B --port 443/tcp [-f FILE|DIR|-]` - what policies make of a flow, and why. */
export const policyExplain = command({
  name: 'policy explain',
  summary: 'Say whether policies allow a flow, which rule decides, and what would change it',
  description: `An end is an address, a workload, pod or endpoint (NAMESPACE/NAME, or NAME where it is unique), or a node. Policies are those of the datastore, or of manifests (-f) without one. Staged policies are
not enforced; if they would decide otherwise, that is said. Exit code 0 if the flow is allowed, 7 if it is denied.`,
  options: {
    from: { type: 'string', value: 'end', summary: 'who opens the connection' },
    to: { type: 'string', value: 'end', summary: 'to whom' },
    port: {
      type: 'string',
      value: 'port',
      summary: 'such as 443/tcp, 53/udp, icmp/8, proto/47; a number alone is a port of TCP',
    },
    ipVersion: {
      type: 'string',
      value: 'version',
      summary: 'default: 4 if both ends have it',
      choices: ['4', '6'],
    },
    interface: {
      type: 'string',
      value: 'name',
      summary: 'by which it leaves and enters hosts; default: any that a host endpoint is about',
    },
    output: OUTPUT_OPTION,
    ...POLICY_OPTIONS,
  },
  examples: [
    ['overland policy explain --from prod/web-1 --to prod/db-1 --port 5432', 'in the cluster'],
    [
      'overland policy explain --from 192.0.2.7 --to web-1 --port 443/tcp -R -f manifests/',
      'before anything is applied',
    ],
  ],
  async handle(
    context,
    { from, to, port, ipVersion, interface: interfaceName, output, ...source },
  ) {
    if (from === undefined || to === undefined || port === undefined) {
      throw new UsageError('policy explain needs a flow: --from A --to B --port 443/tcp');
    }
    const kind = parseFlowKind(port, '--port');
    const family = ipVersion === undefined ? undefined : ipVersion === '4' ? 'ipv4' : 'ipv6';
    const asked = { from, to, kind, family, interfaceName } as const;
    const { inputs, problems } = await readPolicies(source, context);
    const answers = await FlowAnswers.of(inputs);
    const { explanation, ...names } = answers.ask(asked);
    const staged = answers.withStaged()?.ask(asked).explanation;
    const differs = staged !== undefined && staged.action !== explanation.action;
    const { stdout, stderr, colours } = context;
    for (const { resource, reason } of problems) stderr.write(`${resource}: ${reason}\n`);
    if (output === 'json') {
      const withStaged = staged ? { withStaged: staged.action } : {};
      stdout.write(`${JSON.stringify({ ...names, ...explanation, ...withStaged })}\n`);
    } else {
      stdout.write(flowText(explanation, names, colours));
      if (differs) {
        const verdict = staged.action === 'allow' ? 'allowed' : 'denied';
        stdout.write(`\nwith the staged policies enforced it would be ${verdict}\n`);
      }
    }
    return explanation.action === 'allow' ? EXIT.success : EXIT.refused;
  },
});
