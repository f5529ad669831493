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
