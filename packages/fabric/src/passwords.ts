import type { PeerConfig } from '@overland/bgp';
import type { BgpPeer } from '@overland/model';

/** Where the secrets of Kubernetes are looked for on a host that says nothing else: `NAME/KEY` in it. */
export const DEFAULT_SECRETS_DIRECTORY = '/etc/overland/secrets';

/** Names of secrets and keys as Kubernetes has them; nothing that leads out of the directory. */
const NAME = /^(?!\.{1,2}$)[-._a-zA-Z0-9]{1,253}$/;

type Password = NonNullable<BgpPeer['spec']['password']>;

/** Where the speaker finds the key; `undefined` if no source says. */
export function passwordOf(
  { secretKeyRef, file, value }: Password,
  secretsDirectory: string,
): PeerConfig['password'] {
  if (file !== undefined) return { file };
  if (value !== undefined) return { value };
  return secretKeyRef && { file: `${secretsDirectory}/${secretKeyRef.name}/${secretKeyRef.key}` };
}

/** Why a session with this password must not be made; `undefined` if it can be had, or its absence will be seen. */
export function passwordFault(field: string, password: Password): string | undefined {
  const { secretKeyRef, file, value } = password;
  if (!secretKeyRef) {
    const hasSource = file !== undefined || value !== undefined;
    return hasSource
      ? undefined
      : `${field} has neither secretKeyRef, file nor value: no session is made without`;
  }
  if (NAME.test(secretKeyRef.name) && NAME.test(secretKeyRef.key)) return undefined;
  return `${field}.secretKeyRef is no name of a secret and its key: no session is made without`;
}
