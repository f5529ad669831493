import { command } from '../command.ts';
import { SHELL_SCRIPTS, SHELLS } from '../completion/shell-scripts.ts';

/** `completion bash|zsh|fish` - prints a script that makes the shell complete commands, options, kinds and names. */
export const completion = command({
  name: 'completion',
  summary: 'Print a script that makes a shell complete overland',
  description:
    'Completes commands, options, kinds, and names of objects in the datastore. bash: source <(overland completion bash), in ~/.bashrc. zsh: overland completion zsh > /usr/local/share/zsh/site-functions/_overland. fish: overland completion fish > ~/.config/fish/completions/overland.fish. The command must be found as overland on the PATH (bash also completes ./overland).',
  arguments: { shell: { summary: 'which shell', choices: SHELLS } },
  examples: [
    ['source <(overland completion bash)', 'in this bash; for every one: in ~/.bashrc'],
    ['overland completion fish > ~/.config/fish/completions/overland.fish', 'for every fish'],
  ],
  async handle({ stdout }, { shell }) {
    stdout.write(SHELL_SCRIPTS[shell]);
    return 0;
  },
});
