export { loadConfig } from './load-config.ts';
export { runAgent } from './run-agent.ts';
export { type Config, SETTING_NAMES, SETTINGS } from './settings.ts';
