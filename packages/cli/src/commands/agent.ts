import { loadConfig, runAgent, SETTING_NAMES, SETTINGS } from '@overland/agent';
import { command, type OptionSpec, UsageError } from '../command.ts';

/** `agent` - the host's agent, in the foreground until SIGTERM or SIGINT. */
export const agent = command({
  name: 'agent',
  summary: "Run this host's agent",
  description:
    'Settings come from /etc/overland/agent.yaml, from the environment and from these flags, the later winning; docs/config.md has them all.',
  options: {
    config: {
      type: 'string',
      value: 'file',
      summary: 'settings to read instead of /etc/overland/agent.yaml',
    },
    ...settingOptions(),
  },
  examples: [
    ['overland agent', 'with the settings of /etc/overland/agent.yaml'],
    ['overland agent --node-name host11 --as-number 65101', 'for a try'],
  ],
  async handle({ env, signal, isRoot }, input) {
    try {
      const config = await loadConfig(env, input);
      if (!isRoot) throw new UsageError("agent needs root (sudo): it keeps the kernel's routes");
      await runAgent(config, signal);
      return 0;
    } catch (error) {
      const refusal = refusalIn(error);
      throw refusal ? new UsageError(refusal.message, { cause: error }) : error;
    }
  },
});

function settingOptions(): Record<string, OptionSpec> {
  return Object.fromEntries(
    SETTING_NAMES.map((name): [string, OptionSpec] => {
      const [summary = ''] = SETTINGS[name].about.description.split(/[.:;](?= |$)/);
      return [name, { type: 'string', value: 'value', summary }];
    }),
  );
}

/** By name: most are thrown in other threads, and their classes stay there. */
const REFUSALS = ['ConfigError', 'NamespaceTakenError', 'NodeNameTakenError', 'UnusableError'];

/** What trying again cannot mend: the request is wrong, or somebody else is here. */
function refusalIn(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  return REFUSALS.includes(error.name) ? error : refusalIn(error.cause);
}
