import { readdirSync, readFileSync } from 'node:fs';
import { parseYaml } from '../src/yaml/parse-yaml.ts';

const examples = new URL('../../../docs/resources/examples/', import.meta.url);

/** The example of each kind in the documentation. */
export function exampleManifests(): unknown[] {
  return readdirSync(examples).flatMap((name) =>
    parseYaml(readFileSync(new URL(name, examples), 'utf8')).map((document) => {
      if ('error' in document) throw document.error;
      return document.value;
    }),
  );
}

/** With something of everything that it can have. */
export const kubernetesPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'api', namespace: 'shop', labels: { team: 'shop' } },
  spec: {
    podSelector: {
      matchLabels: { app: 'api' },
      matchExpressions: [
        { key: 'stage', operator: 'In', values: ['canary', 'stable'] },
        { key: 'legacy', operator: 'DoesNotExist' },
      ],
    },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          { podSelector: { matchLabels: { app: 'web' } } },
          {
            namespaceSelector: {
              matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['dev'] }],
            },
            podSelector: {},
          },
        ],
        ports: [{ port: 8080 }, { protocol: 'TCP', port: 'metrics' }],
      },
    ],
    egress: [
      {
        to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 8000, endPort: 8999 },
        ],
      },
      {},
    ],
  },
};
