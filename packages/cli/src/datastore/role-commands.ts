import { type KeyAccess, keysWithPrefix } from '@overland/model';

/** A role and the user who has it, in etcd's terms. */
export interface EtcdRole {
  readonly role: string;
  readonly user: string;
  readonly permissions: readonly EtcdPermission[];
}

interface EtcdPermission {
  readonly type: 'read' | 'readwrite';
  readonly key: string;
  /** Excluded; absent: the key alone. */
  readonly rangeEnd?: string;
  readonly reason: string;
}

/**
 * @param user Who is given the role; by default a user of its own.
 * @param keyPrefix The path under which all keys are stored; empty: none.
 */
export function etcdRole(
  { host, user }: { readonly host: string; readonly user?: string | undefined },
  access: readonly KeyAccess[],
  keyPrefix: string,
): EtcdRole {
  const name = `overland-${host}`;
  const permissions = access.map(
    ({ access: type, from, to, reason }): EtcdPermission => ({
      type,
      key: keyPrefix + from,
      ...(to === undefined ? {} : { rangeEnd: keyPrefix + to }),
      reason,
    }),
  );
  return { role: name, user: user ?? name, permissions };
}

/** The commands that make the role and its user: lines for a shell, each under its reason. Nothing in them needs quotes. */
export function roleCommands({ role, user, permissions }: EtcdRole): string {
  const lines = [
    `etcdctl role add ${role}`,
    ...permissions.flatMap((permission) => [
      `# ${permission.reason}`,
      `etcdctl role grant-permission ${argumentsOf(role, permission)}`,
    ]),
    '# asks for the password',
    `etcdctl user add ${user}`,
    `etcdctl user grant-role ${user} ${role}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function argumentsOf(role: string, { type, key, rangeEnd }: EtcdPermission): string {
  if (rangeEnd === undefined) return `${role} ${type} ${key}`;
  if (rangeEnd === keysWithPrefix(key).to) return `--prefix=true ${role} ${type} ${key}`;
  return `${role} ${type} ${key} ${rangeEnd}`;
}
