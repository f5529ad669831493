/** A resource without labels, as a bootstrap file has it. */
export function manifest(kind: string, name: string, spec: object): object {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec };
}
