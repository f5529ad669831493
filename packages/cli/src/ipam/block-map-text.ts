import type { Colours } from '../colours.ts';
import { type BlockMap, fillOf, type MapCell } from './block-map.ts';
import { ownerText } from './usage-text.ts';

const CELLS_PER_LINE = 32;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** From empty to full. */
const FILLS = ['░', '▒', '▓', '█'] as const;

/** A grid, a letter and a shade per block, lines begin with an address; below it who the letters are. */
export function blockMapText(map: BlockMap, colours: Colours): string {
  const { pool, cells, isSparse, owners } = map;
  const claimed = cells.filter(({ block }) => block).length;
  const of = isSparse ? '' : ` of ${cells.length}`;
  const lines = [
    colours.bold(`${pool.pool} ${pool.cidr}: ${claimed}${of} blocks of /${pool.blockLength}`),
  ];
  const styles = [colours.green, colours.cyan, colours.yellow, colours.red];
  const letters = new Map(owners.map((owner, i) => [owner, LETTERS[i] ?? '*']));
  const styled = new Map(owners.map((owner, i) => [owner, styles[i % styles.length]]));
  const draw = ({ block }: MapCell): string => {
    if (!block) return colours.dim('··');
    if (block.fault !== undefined) return colours.red('!!');
    const fill = fillOf(block);
    const shade = FILLS[fill === 0 ? 0 : fill === 1 ? 3 : fill < 0.5 ? 1 : 2];
    if (!block.owner) return `-${shade}`;
    const owner = ownerText(block.owner);
    return (styled.get(owner) ?? String)(`${letters.get(owner)}${shade}`);
  };
  const width = Math.max(0, ...cells.map(({ cidr }) => addressOf(cidr).length));
  for (let i = 0; i < cells.length; i += CELLS_PER_LINE) {
    const line = cells.slice(i, i + CELLS_PER_LINE);
    const [first] = line;
    const start = first ? addressOf(first.cidr).padEnd(width) : '';
    lines.push(`${colours.dim(start)}  ${line.map(draw).join('')}`);
  }
  for (const owner of owners) {
    const style = styled.get(owner) ?? String;
    lines.push(`  ${style(letters.get(owner) ?? '*')} ${owner}`);
  }
  lines.push(
    `  ${FILLS[0]} empty  ${FILLS[1]} less than half  ${FILLS[2]} half or more  ${FILLS[3]} full  ·· free`,
  );
  return `${lines.join('\n')}\n`;
}

function addressOf(cidr: string): string {
  return cidr.split('/')[0] ?? '';
}
