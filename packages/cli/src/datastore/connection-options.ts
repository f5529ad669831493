import type { OptionSpec } from '../command.ts';

/** The options of every command that talks to the datastore. */
export const CONNECTION_OPTIONS = {
  config: {
    type: 'string',
    short: 'c',
    value: 'file',
    summary:
      'where the datastore is (CalicoAPIConfig); default: /etc/overland/overland.cfg, /etc/calico/calicoctl.cfg, else that of the agent on this machine',
  },
} as const satisfies Record<string, OptionSpec>;
