/**
 * Reads `KEY=VALUE` lines as Docker's `--env-file` does: empty lines and lines that begin with `#` are skipped, the value is
 * everything after the first `=`, quotes and all. A key without `=` is skipped: nothing of our own environment goes in.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=');
    if (at <= 0 || line.startsWith('#')) continue;
    environment[line.slice(0, at).trim()] = line.slice(at + 1);
  }
  return environment;
}
