import { hostname } from 'node:os';
import { hostAccess } from '@overland/model';
import { command, UsageError } from '../command.ts';
import { etcdRole, roleCommands } from '../datastore/role-commands.ts';

/** RFC 1123 subdomain: names of Nodes and namespaces. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Common names of certificates, as far as no shell takes them for more than a word. */
const USER = /^[\w.@:-]{1,253}$/;

/** `datastore roles [--host NAME] [-n NAME]… [--repairs] [--prefix PATH] [--user NAME] [-o json]` - the least an agent needs in etcd. */
export const datastoreRoles = command({
  name: 'datastore roles',
  summary: 'Print the etcd role that the agent of a host needs, as etcdctl commands',
  description:
    "The role allows what the agent does and nothing else. Review the commands, then run them as etcd's root; nothing is sent from here. For a host that logs in with a client certificate, name its common name with --user and give the user no password (etcdctl user add --no-password). Resources that the agent is to create at start, from its bootstrap file or as default pools, must exist already: the role does not let it write them.",
  options: {
    host: {
      type: 'string',
      value: 'name',
      summary: "name of the host's Node; default: that of this machine",
    },
    namespace: {
      type: 'list',
      short: 'n',
      value: 'name',
      summary:
        'its workloads are in this namespace (repeatable); default: in any, and their endpoints are writable as a whole',
    },
    repairs: {
      type: 'boolean',
      summary:
        'it may also give back the claims and addresses of hosts that are gone, when it is elected to; some hosts should',
    },
    prefix: {
      type: 'string',
      value: 'path',
      summary: 'path under which the keys are stored, as etcdKeyPrefix says',
    },
    user: {
      type: 'string',
      value: 'name',
      summary: 'who is given the role; default: a user of the same name as the role',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary: 'how to print',
      choices: ['commands', 'json'],
      default: 'commands',
    },
  },
  examples: [
    ['overland datastore roles --host host11', 'to read, or to paste into a shell'],
    [
      'overland datastore roles --host host11 -n default -n web',
      'endpoints in two namespaces only',
    ],
    ['overland datastore roles --host host11 --prefix /site-1 -o json', 'for a script'],
  ],
  async handle({ stdout }, { host, namespace, prefix = '', repairs, user, output }) {
    const name = host ?? hostname().toLowerCase();
    for (const each of [name, ...namespace]) {
      if (NAME.test(each) && each.length <= 253) continue;
      throw new UsageError(
        `${JSON.stringify(each)} is no name: lower case letters, digits, - and ., beginning and ending with a letter or digit`,
      );
    }
    if (user !== undefined && !USER.test(user)) {
      throw new UsageError(`--user ${JSON.stringify(user)}: letters, digits and ._@:- only`);
    }
    const { KEY_PREFIX, MAX_KEY_PREFIX_LENGTH } = await import('@overland/datastore/key-prefix');
    if (prefix !== '' && !(KEY_PREFIX.test(prefix) && prefix.length <= MAX_KEY_PREFIX_LENGTH)) {
      throw new UsageError(
        `--prefix ${JSON.stringify(prefix)}: must be a path such as /site-1, without a slash at its end`,
      );
    }
    const namespaces = namespace.length > 0 ? { namespaces: namespace } : {};
    const access = hostAccess({ name, repairs, ...namespaces });
    const role = etcdRole({ host: name, user }, access, prefix);
    stdout.write(output === 'json' ? `${JSON.stringify(role)}\n` : roleCommands(role));
    return 0;
  },
});
