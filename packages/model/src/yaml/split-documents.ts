/** A document of a text with several. */
export interface Piece {
  readonly text: string;
  /** Of its first character, from 1. */
  readonly line: number;
}

/**
 * Cuts a text before each `---` that begins a document, and after each `...` that ends one, so that a mistake in
 * one does not hide the others. Lines that begin so are nothing else anywhere in YAML (section 9.1.2). Directives
 * stay with what follows them.
 */
export function splitDocuments(text: string): Piece[] {
  const pieces: Piece[] = [];
  let start = { offset: 0, line: 1 };
  let line = 1;
  let hasContent = false;
  const cut = (offset: number, lineThere: number): void => {
    pieces.push({ text: text.slice(start.offset, offset), line: start.line });
    start = { offset, line: lineThere };
    hasContent = false;
  };
  for (let offset = 0; offset < text.length; line++) {
    const next = text.indexOf('\n', offset) + 1 || text.length;
    const begins = startsWithMarker(text, '---', offset);
    if (begins && hasContent) cut(offset, line);
    if (begins || !isBlank(text, offset, next)) hasContent = true;
    if (startsWithMarker(text, '...', offset)) cut(next, line + 1);
    offset = next;
  }
  cut(text.length, line);
  return pieces;
}

function startsWithMarker(text: string, marker: string, offset: number): boolean {
  return text.startsWith(marker, offset) && isBreak(text[offset + marker.length]);
}

function isBreak(character: string | undefined): boolean {
  return character === undefined || ' \t\r\n'.includes(character);
}

/** Whether a line holds nothing, a comment or a directive. */
function isBlank(text: string, from: number, to: number): boolean {
  let at = from;
  while (at < to && isBreak(text[at])) at++;
  return at === to || text[at] === '#' || text[from] === '%';
}
