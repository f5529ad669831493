import type { JsonSchema } from '../reference/json-schema.ts';

/** A value for each rule in words, and for names that are paths. Not the default, where there is one. */
const BY_RULE: Readonly<Record<string, unknown>> = {
  'a selector': "rack == 'r1'",
  'a prefix': '10.65.0.0/24',
  'a prefix or an address': '10.65.1.0/24',
  'an IPv4 prefix': '10.66.0.0/16',
  'an IPv6 prefix': 'fd00:66::/48',
  'an IP address': '10.65.0.9',
  'an IPv4 address': '10.65.0.10',
  'an IPv6 address': 'fd00:65::9',
  'an address with a prefix length': '10.9.1.11/31',
  'a peer address': '10.9.1.1:1790',
  'a duration': '45s',
  'a duration, or Auto': '46s',
  'a community: aa:nn (16-bit parts) or aa:nn:mm (32-bit parts)': '64512:100',
  'an interface name': 'eth1',
  'an interface name or wildcard': 'docker*',
  'an interface name, or a wildcard': 'eth*',
  'an absolute path': '/etc/overland/password',
  'a MAC address, as 02:00:00:00:00:01': '02:00:00:00:00:01',
  'a host name or an address, at most 64 characters': 'metrics.example.org',
  'NAME=VALUE, by commas': 'a=1,b=two',
  'NAME=true or NAME=false, by commas': 'a=true,b=false',
  'an interface, or the begin of names and "+"': 'cali+',
  'an IPv4 prefix or address': '10.67.0.0/16',
  'letters, digits, "_", "-" and spaces': 'a part',
  'lower-case letters, digits, "-" and ".", at most 253': 'made',
  'a rate, as 10/second': '10/second',
  'letters, digits, "%", ":", "/", "_", "-" and spaces': 'denied: ',
  'hexadecimal digits': '6f0c2a1b3d4e4f5a8b9cadbecfd0e1f2',
  'a port, or a range of ports as "8080:8090"': '8080:8090',
  'an AS number: 1 to 4294967295, as a number, a string or dotted (1.10)': 65_011,
  'a protocol by name, or a number from 1 to 255': 'TCP',
  'a number from 1 to 65535, a range as "80:90", or the name of a port': 8080,
};

/** Which fields to set, by path: `spec.importV4[].cidr`. */
export type Include = (path: string) => boolean;

/**
 * A value that fits a schema, with every field that `include` takes, and those that are required.
 *
 * @param values Values for some paths, where a rule of the kind wants another one.
 */
export function sampleValue(
  schema: JsonSchema,
  path: string,
  include: Include,
  values: Readonly<Record<string, unknown>>,
): unknown {
  if (Object.hasOwn(values, path)) return values[path];
  if (schema.const !== undefined) return schema.const;
  if (schema.properties) return sampleObject(schema, path, include, values);
  if (schema.type === 'array') {
    return schema.items ? [sampleValue(schema.items, `${path}[]`, include, values)] : ['anything'];
  }
  if (typeof schema.additionalProperties === 'object') {
    return { key: sampleValue(schema.additionalProperties, `${path}.*`, include, values) };
  }
  return sampleScalar(schema);
}

function sampleObject(
  schema: JsonSchema,
  path: string,
  include: Include,
  values: Readonly<Record<string, unknown>>,
): object {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    if (!schema.required?.includes(name) && !include(at)) return [];
    return [[name, sampleValue(field, at, include, values)] as const];
  });
  return Object.fromEntries(fields);
}

function sampleScalar(schema: JsonSchema): unknown {
  const { default: preset, enum: words } = schema;
  const rule = schema['x-overland-rule'];
  if (words) return words.findLast((word) => word !== preset);
  if (rule !== undefined && Object.hasOwn(BY_RULE, rule)) return BY_RULE[rule];
  const [choice] = schema.anyOf ?? [];
  if (choice) return choice.const ?? sampleScalar(choice);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'boolean':
      return preset !== true;
    case 'integer':
    case 'number':
      return schema.maximum ?? Math.max(7, schema.minimum ?? 0);
    case 'object':
      return { key: 'value' };
    default:
      return 'words';
  }
}
