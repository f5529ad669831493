import { type BlockMap, fillOf, type MapCell } from './block-map.ts';
import { ownerText } from './usage-text.ts';

const CELL = 18;
const GAP = 2;
const COLUMNS = 32;
const HEADER = 24;
const MARGIN = 8;
const GOLDEN_ANGLE = 137.5;

/** Pools one below the other; a cell per block, coloured by owner and filled from below by use, with a tooltip. */
export function blockMapSvg(maps: readonly BlockMap[]): string {
  const width = 2 * MARGIN + COLUMNS * (CELL + GAP);
  const parts: string[] = [];
  let top = MARGIN;
  for (const map of maps) {
    parts.push(
      `<text x="${MARGIN}" y="${top + 14}" class="t">${escapeXml(`${map.pool.pool} ${map.pool.cidr}`)}</text>`,
    );
    top += HEADER;
    parts.push(...map.cells.map((cell, i) => cellSvg(map, cell, i, top)));
    top += Math.ceil(map.cells.length / COLUMNS) * (CELL + GAP) + MARGIN;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}">`,
    '<style>.t{font:13px sans-serif}.e{fill:#eee}</style>',
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function cellSvg({ owners }: BlockMap, { cidr, block }: MapCell, i: number, top: number): string {
  const x = MARGIN + (i % COLUMNS) * (CELL + GAP);
  const y = top + Math.floor(i / COLUMNS) * (CELL + GAP);
  const at = `x="${x}" width="${CELL}"`;
  if (!block) {
    return `<rect ${at} y="${y}" height="${CELL}" class="e"><title>${cidr}: free</title></rect>`;
  }
  const owner = ownerText(block.owner);
  const hue = Math.round((owners.indexOf(owner) * GOLDEN_ANGLE) % 360);
  const height = Math.round(CELL * fillOf(block));
  const grey = block.owner && block.fault === undefined ? '' : 'filter="grayscale(1)" ';
  const used = `${block.inUse} of ${block.total} in use`;
  const state = block.fault === undefined ? used : `cannot be read: ${block.fault}`;
  const title = `<title>${escapeXml(`${cidr} ${owner}: ${state}`)}</title>`;
  return `<g ${grey}>${title}<rect ${at} y="${y}" height="${CELL}" fill="hsl(${hue},60%,85%)"/><rect ${at} y="${y + CELL - height}" height="${height}" fill="hsl(${hue},65%,45%)"/></g>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
