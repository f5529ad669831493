import { hash } from 'node:crypto';
import {
  type AnyResource,
  API_VERSION,
  CALICO_V1_VERSION,
  convertCalicoV1,
  isJsonObject,
  parseManifest,
  printYaml,
  stringifyJson,
  subjectOf,
  ValidationError,
} from '@overland/model';
import { command } from '../command.ts';
import { exitCodeOfAll } from '../exit-codes.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { readManifests } from '../manifests/read-manifests.ts';
import { writeOut } from '../write-out.ts';

type Manifest = Readonly<Record<string, unknown>>;

/** Before names of policies that were converted from Kubernetes' and live in the datastore. */
const KUBERNETES_PREFIX = 'knp.default.';

/** `convert -f FILE|DIR|- [-o yaml|json]` - manifests of Calico v1 and policies of Kubernetes as manifests of v3. */
export const convert = command({
  name: 'convert',
  summary: 'Convert manifests of Calico v1 and policies of Kubernetes to projectcalico.org/v3',
  description:
    "Takes Calico v1 (apiVersion v1; kinds bgpPeer, hostEndpoint, ipPool, node, policy, profile, workloadEndpoint) and Kubernetes' networking.k8s.io/v1 NetworkPolicy. Names that v3 does not allow are changed as calicoctl's convert did, with a hash of the old name behind; policies of Kubernetes keep their name. Manifests that are v3 already are printed as they are. What cannot be converted is named, with the reason, and the rest is printed all the same; exit code 2. Needs no datastore.",
  options: {
    ...MANIFEST_OPTIONS,
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary: 'how to print',
      choices: ['yaml', 'json'],
      default: 'yaml',
    },
  },
  examples: [
    ['overland convert -f policy-v1.yaml > policy.yaml', 'a file of Calico v1'],
    ['overland convert -R -f k8s/ -o json', 'a directory, for a script'],
  ],
  async handle(context, { output, ...input }) {
    const { stdout, stderr } = context;
    const manifests: Manifest[] = [];
    const errors: Error[] = [];
    for await (const document of readManifests(input, context)) {
      const fail = (error: Error): void => {
        errors.push(error);
        const lines = error.message.split('\n');
        const place = `${document.file}:${document.line}`;
        for (const line of lines) stderr.write(`overland: ${place}: ${line}\n`);
      };
      if ('error' in document) {
        fail(document.error);
        continue;
      }
      // calicoctl took lists without a kind around them.
      for (const value of Array.isArray(document.value) ? document.value : [document.value]) {
        try {
          manifests.push(convertManifest(value));
        } catch (error) {
          if (!(error instanceof ValidationError)) throw error;
          fail(error);
        }
      }
    }
    await writeOut(stdout, output === 'json' ? jsonText(manifests) : yamlText(manifests));
    return exitCodeOfAll(errors);
  },
});

function convertManifest(value: unknown): Manifest {
  const version = isJsonObject(value) ? value.apiVersion : undefined;
  if (version === CALICO_V1_VERSION) {
    return convertCalicoV1(value, (text) => hash('sha1', text).slice(0, 8));
  }
  const resource = parseManifest(value);
  return version === API_VERSION ? (value as Manifest) : fromKubernetes(resource);
}

/** Under its own name: the one that it has in the datastore is kept for what is converted there. */
function fromKubernetes(resource: AnyResource): Manifest {
  const { apiVersion, kind, spec, metadata } = resource;
  const name = metadata.name.replace(KUBERNETES_PREFIX, '');
  const manifest = { apiVersion, kind, metadata: { ...metadata, name }, spec };
  try {
    parseManifest(manifest);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    throw new ValidationError(subjectOf(manifest), error.faults);
  }
  return manifest;
}

function yamlText(manifests: readonly Manifest[]): string {
  return manifests.map(printYaml).join('---\n');
}

/** One object alone, several as a List: what `apply -f` takes. */
function jsonText(manifests: readonly Manifest[]): string {
  const [only] = manifests;
  if (!only) return '';
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  return `${stringifyJson(manifests.length === 1 ? only : list, 2)}\n`;
}
