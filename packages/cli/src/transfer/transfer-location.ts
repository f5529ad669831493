import { resolve } from 'node:path';
import { type CommandContext, UsageError } from '../command.ts';
import { datastoreOptionsOf } from '../datastore/datastore-options.ts';
import { type OpenClient, openAt } from '../datastore/open-client.ts';

/** One side of a migration. */
export type TransferLocation =
  | { readonly type: 'directory'; readonly path: string }
  | { readonly type: 'datastore'; readonly open: (mayCreate: boolean) => Promise<OpenClient> };

/** How locations are written, for the help. */
export const LOCATION_FORMS = 'config:FILE, etcd:ENDPOINT[,...], sqlite:FILE or dir:DIRECTORY';

/**
 * Reads a location. The environment has no say in it: both sides would have the same settings.
 *
 * @param option For messages.
 * @throws {UsageError} If it is none.
 */
export function parseLocation(
  option: string,
  text: string,
  { workingDirectory, stderr }: Pick<CommandContext, 'workingDirectory' | 'stderr'>,
): TransferLocation {
  const [, scheme, rest = ''] = /^(\w+):(.+)$/.exec(text) ?? [];
  const path = resolve(workingDirectory, rest);
  switch (scheme) {
    case 'dir':
      return { type: 'directory', path };
    case 'config': {
      const options = () => datastoreOptionsOf({ env: {}, workingDirectory, stderr }, rest);
      return {
        type: 'datastore',
        open: async (mayCreate) => openAt(await options(), { mayCreate }),
      };
    }
    case 'sqlite':
      return {
        type: 'datastore',
        open: (mayCreate) => openAt({ type: 'sqlite', path }, { mayCreate }),
      };
    case 'etcd': {
      const options = { type: 'etcd', endpoints: rest.split(',') } as const;
      return {
        type: 'datastore',
        open: (mayCreate) =>
          openAt(options, { mayCreate }).catch((error: unknown) => {
            if (!(error instanceof RangeError)) throw error;
            throw new UsageError(`${option}: ${error.message}`);
          }),
      };
    }
    default:
      throw new UsageError(`${option} ${text}: must be ${LOCATION_FORMS}`);
  }
}
