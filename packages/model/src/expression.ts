/**
 * Whether a regular expression of Go compiles, as far as this can be told without Go: what is only spelt otherwise there
 * (named groups, flags at the begin) is translated.
 */
export function isExpression(text: string): boolean {
  const translated = text.replaceAll('(?P<', '(?<').replace(/^\(\?[imsU]+\)/, '');
  try {
    new RegExp(translated);
    return true;
  } catch {
    return false;
  }
}
