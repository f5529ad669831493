import { expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const POLICY = `
- apiVersion: v1
  kind: policy
  metadata: {name: Allow_Redis}
  spec:
    selector: role == 'db'
    ingress:
    - {action: allow, protocol: tcp, source: {tag: fe}, destination: {ports: [6379]}}
- apiVersion: v1
  kind: ipPool
  metadata: {cidr: 10.1.0.0/16}
`;
const KUBERNETES = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
`;

test('a list of Calico v1, as calicoctl took it', async () => {
  const { code, out, err } = await captureRun(['convert', '-f', '-'], { stdin: POLICY });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  // The first eight digits of `printf Allow_Redis | sha1sum`.
  expect(out).toBe(`apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: allow-redis-17104b4f
spec:
  selector: "role == 'db'"
  ingress:
    - action: Allow
      protocol: TCP
      source:
        selector: "fe == ''"
      destination:
        ports:
          - 6379
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: "10-1-0-0-16"
spec:
  cidr: 10.1.0.0/16
`);
  const validated = await captureRun(['validate', '-f', '-'], { stdin: out });
  expect(validated.out).toBe('2 documents: valid\n');
});

test('a policy of Kubernetes keeps its name, and what comes out can be applied', async () => {
  const { code, out } = await captureRun(['convert', '-f', '-', '-o', 'json'], {
    stdin: KUBERNETES,
  });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny', namespace: 'shop' },
    spec: { order: 1000, selector: "projectcalico.org/orchestrator == 'k8s'", types: ['Ingress'] },
  });
  expect((await captureRun(['validate', '-f', '-'], { stdin: out })).code).toBe(0);
});

test('several as JSON are a list; what is v3 already stays as it is written', async () => {
  const v3 = 'apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: h1}\n';
  const stdin = `${KUBERNETES}---\n${v3}`;
  const { out } = await captureRun(['convert', '-f', '-', '-o', 'json'], { stdin });
  expect(JSON.parse(out)).toMatchObject({
    kind: 'List',
    items: [
      { kind: 'NetworkPolicy' },
      { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata: { name: 'h1' } },
    ],
  });
});

test('what cannot be converted is named, and the rest is printed', async () => {
  const stdin = `apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n${KUBERNETES}---\n{a: [}\n`;
  const { code, out, err } = await captureRun(['convert', '-f', '-'], { stdin });
  expect(code).toBe(2);
  expect(err).toMatch(/^overland: -:1: Service\(web\): kind must be a kind of Calico v1/);
  expect(err.split('\n')).toHaveLength(3);
  expect(out).toContain('name: deny\n');
});
