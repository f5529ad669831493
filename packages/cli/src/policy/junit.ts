/** What became of one expectation. */
export interface TestOutcome {
  readonly name: string;
  /** `undefined`: as expected. */
  readonly failure: string | undefined;
}

/** The outcomes in the form that CI systems read: JUnit's XML. */
export function junitText(suite: string, outcomes: readonly TestOutcome[]): string {
  const failures = outcomes.filter(({ failure }) => failure !== undefined).length;
  const cases = outcomes.map(({ name, failure }) => {
    const attributes = `classname="${escaped(suite)}" name="${escaped(name)}"`;
    if (failure === undefined) return `    <testcase ${attributes}/>`;
    const [message = ''] = failure.split('\n');
    return `    <testcase ${attributes}>
      <failure message="${escaped(message)}">${escaped(failure)}</failure>
    </testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${escaped(suite)}" tests="${outcomes.length}" failures="${failures}">
${cases.join('\n')}
  </testsuite>
</testsuites>
`;
}

function escaped(text: string): string {
  return (
    text
      // Characters that XML 1.0 has no place for.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to replace.
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
