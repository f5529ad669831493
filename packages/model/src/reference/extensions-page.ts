import { KINDS, type Kind, kindTable } from '../kinds.ts';
import { type FieldRow, fieldRows } from './field-rows.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { fieldTable, pageName } from './kind-page.ts';

const INTRODUCTION = `# Extensions: fields that Calico lacks

Generated from the tables in \`packages/model/src/kinds/\`; \`npm run docs\` writes it anew.

These are optional fields of Calico's own kinds, in the same manifests. Without them an object is exactly what Calico has.

**How they are stored.** Calico's tools read an object, change it and write it whole; a field that they do not know is gone. So an extension never stands in the object under
\`/calico/\`: it lies beside it, under \`/overland/v1/extensions/<plural>/<name>\`, with the uid of its object, and is joined on read. A rewrite by calicoctl loses nothing. An object that calicoctl
deletes and makes again does not inherit the fields of the old one (decision 0032).

**Calico does not see them.** On a host that still runs Calico, a session has no BFD and no limit of prefixes, and a password from \`file\` or \`value\` is none: peers that ask for it do not come up
there.

**Rules of a BGPFilter.** A rule with a field of ours is not seen by Calico at all, whatever else it has: without one of its conditions it would hold for routes that it is not about. A host that still
runs Calico goes by the other rules of the list; what must be rejected there, too, needs a rule without such fields. When Calico's tools change the list, each rule of ours stays behind the rule that it followed
(decision 0141). \`exportV4\` and \`exportV6\` have the same fields.

**Passwords.** \`password\` of a BGPPeer, and \`nodeMeshPassword\` of the BGPConfiguration named default, have the same sources. \`file\` is read on the node, so it must be there on each node that the BGPPeer is for. \`value\` stands in the datastore as it is: whoever may read
\`/overland/v1/extensions/\` can read it. Each host also has it in its snapshot, a file of mode 0600.

- It is never shown: \`get\` prints \`(hidden)\` in its place, and so do errors and \`diff\`.
- \`apply\` and \`replace\` keep it if the manifest gives none, or \`(hidden)\`. An empty \`value\` removes it; \`file\` or \`secretKeyRef\` takes its place.
- It is refused if the way to the datastore is an etcd without TLS: with \`http://\` endpoints, or members that only DNS names.

**What the speaker does with them.** A field that this version stores but does not act on yet is named by each node that it concerns; where it protects a session (a limit of prefixes, a role that
must be there, BFD that must be up), no session is made without it.`;

/** All fields that Calico lacks, as Markdown. */
export function extensionsPage(): string {
  const kinds = (Object.keys(KINDS) as Kind[]).filter(
    (kind) => kindTable(kind).extensions.length > 0,
  );
  const sections = kinds.map(
    (kind) => `## [${kind}](resources/${pageName(kind)})\n\n${fieldTable(extensionRows(kind))}`,
  );
  return `${[INTRODUCTION, ...sections].join('\n\n')}\n`;
}

/** The fields of a kind that are ours, with all that they hold. */
function extensionRows(kind: Kind): FieldRow[] {
  const spec = jsonSchemaOf(kind).properties?.spec ?? {};
  const paths = kindTable(kind).extensions.map((path) => path.join('.'));
  return fieldRows(spec)
    .filter(({ path }) => paths.some((ours) => path === ours || path.startsWith(`${ours}.`)))
    .map((row) => ({ ...row, extension: false }));
}
