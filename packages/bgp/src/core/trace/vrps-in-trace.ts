import { ADDRESS_BITS, type Family } from '@overland/net';
import { emptyVrpTables, type VrpTable, type VrpTables } from '../rpki/vrp-table.ts';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Words of the address, length, longest length, AS number. */
type VrpRow = readonly number[];

/** VRPs as a trace has them: a row of numbers each. */
export function vrpRows(tables: VrpTables): Readonly<Record<Family, readonly VrpRow[]>> {
  return { ipv4: rowsOf(tables.ipv4), ipv6: rowsOf(tables.ipv6) };
}

/** @throws {RangeError} If it is something else. */
export function tablesOfRows(value: unknown): VrpTables {
  const tables = emptyVrpTables();
  for (const family of FAMILIES) {
    const rows = (value as Partial<Record<Family, unknown>> | undefined)?.[family];
    if (!Array.isArray(rows)) throw new RangeError(`there are no VRPs of ${family}`);
    for (const row of rows) addRow(tables[family], row);
  }
  return tables;
}

function rowsOf(table: VrpTable): VrpRow[] {
  const rows: VrpRow[] = [];
  table.forEach(({ words, lengthBits, maxLengthBits, asn }) => {
    rows.push([...words, lengthBits, maxLengthBits, asn]);
  });
  return rows;
}

function addRow(table: VrpTable, row: unknown): void {
  const { family } = table;
  const count = ADDRESS_BITS[family] / 32;
  const isRow =
    Array.isArray(row) && row.length === count + 3 && row.every((each) => Number.isInteger(each));
  if (!isRow) throw new RangeError('a VRP is no row of whole numbers');
  const numbers = row as readonly number[];
  const [lengthBits = -1, maxLengthBits = -1, asn = -1] = numbers.slice(count);
  if (lengthBits < 0 || lengthBits > maxLengthBits || maxLengthBits > ADDRESS_BITS[family]) {
    throw new RangeError(`a VRP of ${family} with lengths ${lengthBits} and ${maxLengthBits}`);
  }
  const words = Int32Array.from(numbers.slice(0, count));
  table.add({ family, words, lengthBits, maxLengthBits, asn });
}
