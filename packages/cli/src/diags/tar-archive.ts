/** One regular file of an archive. */
export interface ArchiveFile {
  /** Relative, `/`-separated, at most 255 octets of ASCII, cut anywhere at a `/` into 155 and 100. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly modified: Date;
}

const BLOCK = 512;
const MODE = 0o600;

/** A tar archive in the `ustar` format of POSIX.1-1988, which every tar reads. */
export function tarArchive(files: readonly ArchiveFile[]): Uint8Array {
  const parts = files.flatMap(({ path, content, modified }) => [
    header(path, content.length, modified),
    content,
    new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

function header(path: string, sizeOctets: number, modified: Date): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const [prefix, name] = splitPath(path);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  };
  block.write(name, 0, 100, 'latin1');
  octal(MODE, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeOctets, 124, 12);
  octal(Math.floor(modified.getTime() / 1000), 136, 12);
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155, 'latin1');
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function splitPath(path: string): [prefix: string, name: string] {
  if (path.length <= 100) return ['', path];
  const at = path.indexOf('/', path.length - 101);
  if (at < 0 || at > 155) throw new RangeError(`the path is too long for an archive: ${path}`);
  return [path.slice(0, at), path.slice(at + 1)];
}
