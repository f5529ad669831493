import {
  type AnyResource,
  API_VERSION,
  type Kind,
  printYaml,
  stringifyJson,
} from '@overland/model';
import type { Colours } from '../../colours.ts';
import { type Column, TableWriter } from '../../table.ts';
import type { ClusterValues } from './kind-columns.ts';
import type { OutputFormat } from './output-format.ts';
import { runTemplate } from './template/run-template.ts';

/** Prints resources as they come: parts of one text, in order. */
export interface Printer {
  page(resources: readonly AnyResource[], version: string | undefined): string;
  /** What stands behind the last part. */
  end(): string;
}

export interface PrinterContext {
  readonly kind: Kind;
  /** Whether one object was asked for by name: it is printed itself, not as a list of one. */
  readonly isSingle: boolean;
  readonly cluster: ClusterValues;
  readonly colours: Pick<Colours, 'bold'>;
}

/** The printer of a format. */
export function createPrinter(format: OutputFormat, context: PrinterContext): Printer {
  switch (format.type) {
    case 'table':
      return tablePrinter(format.columns, context);
    case 'name':
      return eachPrinter((resource) => `${nameOf(resource)}\n`);
    case 'yaml':
      return context.isSingle ? eachPrinter(printYaml) : yamlList(context.kind);
    case 'json':
      return context.isSingle
        ? eachPrinter((resource) => `${stringifyJson(resource, 2)}\n`)
        : jsonList(context.kind);
    case 'template': {
      const { kind, isSingle } = context;
      const all: AnyResource[] = [];
      return {
        page: (resources) => {
          all.push(...resources);
          return '';
        },
        end: () => {
          const list = { apiVersion: API_VERSION, kind: `${kind}List`, items: all };
          const root = isSingle ? all : [list];
          return all.length === 0 && isSingle ? '' : runTemplate(format.template, root);
        },
      };
    }
    default:
      return format satisfies never;
  }
}

/** `ippool/rack1`, `networkset/default/db`: what `get` and `delete` take apart again. */
export function nameOf({ kind, metadata }: AnyResource): string {
  const { name, namespace } = metadata;
  return [kind.toLowerCase(), ...(namespace ? [namespace] : []), name].join('/');
}

function eachPrinter(print: (resource: AnyResource) => string): Printer {
  return { page: (resources) => resources.map(print).join(''), end: () => '' };
}

function tablePrinter(
  columns: Extract<OutputFormat, { type: 'table' }>['columns'],
  { cluster, colours }: PrinterContext,
): Printer {
  const table = new TableWriter(
    columns.map(
      ({ title, cell }): Column<AnyResource> => ({
        title,
        cell: (resource) => cell(resource, cluster),
      }),
    ),
    colours.bold,
  );
  return { page: (resources) => table.lines(resources), end: () => '' };
}

function yamlList(kind: Kind): Printer {
  let count = -1;
  return {
    page(resources, version) {
      let text = '';
      if (count < 0) {
        text = `apiVersion: ${API_VERSION}\nkind: ${kind}List\n`;
        if (version !== undefined) text += `metadata:\n  resourceVersion: "${version}"\n`;
        count = 0;
      }
      for (const resource of resources) {
        if (count++ === 0) text += 'items:\n';
        text += `- ${printYaml(resource).trimEnd().replaceAll('\n', '\n  ')}\n`;
      }
      return text;
    },
    end: () => (count <= 0 ? 'items: []\n' : ''),
  };
}

function jsonList(kind: Kind): Printer {
  let count = -1;
  return {
    page(resources, version) {
      let text = '';
      if (count < 0) {
        const metadata = version === undefined ? {} : { resourceVersion: version };
        const head = stringifyJson({ apiVersion: API_VERSION, kind: `${kind}List`, metadata }, 2);
        text = `${head.slice(0, -2)},\n  "items": [`;
        count = 0;
      }
      for (const resource of resources) {
        const json = stringifyJson(resource, 2).replaceAll('\n', '\n    ');
        text += `${count++ === 0 ? '' : ','}\n    ${json}`;
      }
      return text;
    },
    end: () => (count > 0 ? '\n  ]\n}\n' : ']\n}\n'),
  };
}
