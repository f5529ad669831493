import type { IptablesText } from '@overland/felix/policy';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { type CommandContext, command, FailureError, UsageError } from '../command.ts';
import { readPolicies } from '../policy/policy-inputs.ts';
import { POLICY_OPTIONS } from '../policy/policy-options.ts';

/** `policy show ENDPOINT [-f FILE|DIR|-]` - everything that decides about an endpoint's traffic, in order. */
export const policyShow = command({
  name: 'policy show',
  summary: 'Show tiers, policies, rules and sets that decide about an endpoint',
  description:
    'In the order in which they are asked: the first rule that matches decides, but for Log and Pass. Behind a selector is the number of ranges or ports that it stands for. The endpoint is an address, NAMESPACE/NAME, or NAME where it is unique; of a node, all its host endpoints are shown.',
  arguments: { endpoint: { summary: 'address or name' } },
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary:
        'how to print; nft and iptables: the rules for the kernel, of a workload endpoint with an interface; nft also of all that a node has',
      choices: ['table', 'json', 'nft', 'iptables'],
      default: 'table',
    },
    live: {
      type: 'boolean',
      summary: "as this host's agent has told the packet filter, with what the kernel refuses",
    },
    ...POLICY_OPTIONS,
  },
  examples: [
    ['overland policy show prod/web-1', 'in the cluster'],
    ['overland policy show 10.65.0.1 -R -f manifests/', 'before anything is applied'],
    ['overland policy show prod/web-1 --live', 'as it is in the kernel of its host'],
    ['overland policy show prod/web-1 -o nft', 'as the packet filter would be told'],
    ['overland policy show prod/web-1 -o iptables', 'on a host that lives on iptables'],
  ],
  async handle(context, { endpoint: text, output, live, ...source }) {
    if (live) return await showLive(context, text, { output, ...source });
    const { inputs, problems } = await readPolicies(source, context);
    const {
      findPlace,
      iptablesText,
      policyStateOf,
      policyStateOfEndpoints,
      PolicyView,
      renderRuleset,
    } = await import('@overland/felix/policy');
    const { endpointPolicyOf, endpointPolicyText } = await import('../policy/endpoint-text.ts');
    const view = new PolicyView(inputs);
    const place = findPlace(text, view.endpoints, inputs.nodes);
    if (place.kind === 'address') throw new FailureError(`${text} is the address of no endpoint`);
    const endpoints = place.kind === 'workload' ? [place.endpoint] : place.endpoints;
    if (endpoints.length === 0 && output !== 'nft') {
      throw new FailureError(`node ${place.name} has no host endpoint`);
    }
    const { stdout, stderr, colours } = context;
    for (const { resource, reason } of problems) stderr.write(`${resource}: ${reason}\n`);
    if (output === 'nft' && place.kind === 'host') {
      stdout.write(renderRuleset(policyStateOf(view, place.name)));
      return 0;
    }
    if (output === 'nft' || output === 'iptables') {
      if (place.kind !== 'workload' || place.endpoint.interfaceName === undefined) {
        throw new FailureError(`${text} is no workload endpoint with an interface`);
      }
      const state = policyStateOfEndpoints(view, endpoints);
      stdout.write(output === 'nft' ? renderRuleset(state) : iptablesFiles(iptablesText(state)));
      return 0;
    }
    const shown = endpoints.map((endpoint) => endpointPolicyOf(endpoint, view));
    if (output === 'json') stdout.write(`${JSON.stringify({ endpoints: shown })}\n`);
    else stdout.write(shown.map((one) => endpointPolicyText(one, colours)).join('\n'));
    return 0;
  },
});

async function showLive(
  context: CommandContext,
  text: string,
  options: { output: string; filename: readonly string[]; config: string | undefined },
): Promise<number> {
  const { output, filename, config } = options;
  if (filename.length > 0 || config !== undefined) {
    throw new UsageError('--live asks the agent of this host: without -f and --config');
  }
  if (output !== 'table' && output !== 'json') {
    throw new UsageError(
      `-o ${output} shows what resources say: without --live; what the kernel has, \`nft list table inet overland\` shows`,
    );
  }
  return await reportingAgentErrors(async () => {
    const programmed = await connectAgent(context).programmedPolicy(text);
    const { programmedPolicyText } = await import('../policy/endpoint-text.ts');
    const { stdout, colours } = context;
    stdout.write(
      output === 'json'
        ? `${JSON.stringify(programmed)}\n`
        : programmedPolicyText(programmed, colours),
    );
    return 0;
  });
}

/** The files one behind the other, each with the program that reads it. */
function iptablesFiles({ sets, tables }: IptablesText): string {
  return `# ipset restore\n${sets}# iptables-restore --noflush\n${tables[4]}# ip6tables-restore --noflush\n${tables[6]}`;
}
