import { environmentName, flagName, SETTING_NAMES, SETTINGS, type Setting } from './settings.ts';

const HEAD = `# Settings of the agent

Generated from \`packages/agent/src/settings.ts\`; \`vitest run --project unit packages/agent -u\` writes it anew.

A setting is read from, the later winning: its default; \`/etc/overland/agent.yaml\` (another file with
\`--config\` or \`OVERLAND_CONFIG\`); Calico's environment variable of the same meaning; ours; the command line.
Everything is checked once, at start: each fault is one line, an unknown name is a fault, and the exit code is 2.
`;

/** \`docs/config.md\`, whole. */
export function configDocument(): string {
  return `${HEAD}\n${SETTING_NAMES.map((name) => section(name, SETTINGS[name])).join('\n')}`;
}

function section(name: string, { schema, about }: Setting): string {
  const lines = [`## \`${name}\``, '', about.description, ''];
  lines.push(`- Default: ${about.defaultText ?? defaultOf(schema.safeParse(undefined))}`);
  if (about.unit !== undefined) lines.push(`- Unit: ${about.unit}`);
  lines.push(
    `- Environment: \`${environmentName(name)}\`${about.calico === undefined ? '' : `, \`${about.calico}\``}`,
  );
  lines.push(`- Flag: \`--${flagName(name)}\``, '');
  return lines.join('\n');
}

function defaultOf(result: { readonly data?: unknown }): string {
  const value = result.data;
  if (value === undefined) return 'none';
  if (Array.isArray(value) || typeof value === 'object') return 'none';
  return `\`${String(value)}\``;
}
